// Training on blends: a row is a set of photos of several people, made into one picture as `reconstruct --blend` does.
#include <torch/torch.h>

#include "core/error.h"
#include "core/log.h"
#include "model/facemae/blend.h"
#include "model/facemae/losses.h"
#include "trainer/apply/triptych.h"
#include "trainer/tasks/rebuilding.h"

namespace facemae {
namespace {

class SetRebuilding final : public Rebuilding {
 public:
  SetRebuilding(FaceMae model, const PretrainConfig& config, Precision precision)
      : model_(std::move(model)), config_(config), sets_(config.sets().value()), precision_(precision) {}

  std::int64_t faces_per_row() const override { return static_cast<std::int64_t>(sets_.photos); }

  Rebuilt rebuild(const Faces& faces) override {
    check_whole(faces);
    Rebuilt rebuilt{.patches = blended(faces, sets_.people, sets_.photos_of_each()), .pixel = {}};
    if (config_.reconstruction == Reconstruction::None) {
      rebuilt.pixel = torch::zeros({}, faces.images.options());
    } else {
      const double pictures = static_cast<double>(config_.common.batch) / static_cast<double>(sets_.photos);
      rebuilt.pixel =
          low_pass_share(model_->unpatchify(rebuilt.patches), mean_of_sets(faces.images), pictures);
    }
    return rebuilt;
  }

  torch::Tensor reference(const Faces& faces, Embedder& embedder) override {
    if (!config_.relates_blends()) return embedder.embed(originals(faces));
    check_whole(faces);
    return mean_of_sets(embedder.embed(faces.images));
  }

  torch::Tensor originals(const Faces& faces) override {
    return faces.images.slice(0, 0, torch::nullopt, faces_per_row());
  }

  /// Every face is a person here, and as many people as a set has are blended.
  Image picture(const Faces& faces) override {
    const torch::NoGradGuard no_grad;
    const auto of_sets = blended(faces, sets_.people, 1);
    const auto set_of = torch::arange(faces.images.size(0), torch::kInt64)
                            .div(static_cast<std::int64_t>(sets_.people), "floor")
                            .to(of_sets.device());
    return triptych(model_, faces.images, mask_of(faces), of_sets.index_select(0, set_of));
  }

 private:
  Masked mask_of(const Faces& faces) const {
    return masks_of(faces, model_, config_.common.seed, config_.mask_ratio);
  }

  /// Sets follow from ordinals alone, so that any number of ranks has the same ones. Somebody whom the order visits twice
  /// within a set, where a round ends in it, counts as two.
  void check_whole(const Faces& faces) const {
    const auto& ordinals = faces.ordinals;
    if (!ordinals.empty() && (ordinals.size() % sets_.photos != 0 || ordinals.front() % sets_.photos != 0))
      throw Error(fmt::format("blending: {} faces from ordinal {} on are not whole sets of {}",
                              ordinals.size(), ordinals.front(), sets_.photos));
  }

  /// [B, ...] -> [S, ...]: everybody in a set has equally many photos, so the mean over people is that over photos.
  torch::Tensor mean_of_sets(const torch::Tensor& of_photos) const {
    return of_photos.unflatten(0, {-1, static_cast<std::int64_t>(sets_.photos)}).mean(1);
  }

  /// One picture for each set of as many people and photos of each: [S, N, P] float32. A last set that is not whole has
  /// the last face again and again.
  torch::Tensor blended(const Faces& faces, std::uint64_t people, std::uint64_t of_each) {
    const Autocast reduced(precision_, faces.images.device());
    const Masked mask = mask_of(faces);
    const auto k = static_cast<std::int64_t>(people), b = static_cast<std::int64_t>(of_each);
    const auto count = faces.images.size(0), sets = (count + k * b - 1) / (k * b);
    const auto which =
        torch::arange(sets * k * b, torch::TensorOptions().dtype(torch::kInt64).device(faces.images.device()))
            .clamp_max(count - 1)
            .view({sets, k, b});
    const auto tokens = model_->decoder_tokens(model_->encode(faces.images, mask), mask);
    const auto together = blend_people(tokens, mask.hidden, which, model_->mask_token,
                                       static_cast<std::int64_t>(sets_.min_people));
    return model_->decode_tokens(together).to(torch::kFloat32);
  }

  FaceMae model_;
  PretrainConfig config_;
  TrainingSets sets_;
  Precision precision_;
};

}  // namespace

std::unique_ptr<Rebuilding> rebuild_sets(FaceMae model, const PretrainConfig& config, Precision precision) {
  return std::make_unique<SetRebuilding>(std::move(model), config, precision);
}

}  // namespace facemae
