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

using Numbers = std::vector<std::int64_t>;

/// Whose set and whose photo each face is.
struct Members {
  Numbers set, person;
};

class SetRebuilding final : public Rebuilding {
 public:
  SetRebuilding(FaceMae model, const PretrainConfig& config, Precision precision)
      : model_(std::move(model)), config_(config), sets_(config.sets().value()), precision_(precision) {}

  std::int64_t faces_per_row() const override { return static_cast<std::int64_t>(sets_.photos); }

  Rebuilt rebuild(const Faces& faces) override {
    const Members members = members_of(faces);
    Rebuilt rebuilt{.patches = blended(faces, members), .pixel = {}};
    if (config_.reconstruction == Reconstruction::None) {
      rebuilt.pixel = torch::zeros({}, faces.images.options());
    } else {
      const double pictures = static_cast<double>(config_.common.batch) / static_cast<double>(sets_.photos);
      rebuilt.pixel = low_pass_share(model_->unpatchify(rebuilt.patches),
                                     mean_over_people(faces.images, members.set, members.person), pictures);
    }
    return rebuilt;
  }

  torch::Tensor reference(const Faces& faces, Embedder& embedder) override {
    if (!config_.relates_blends()) return embedder.embed(originals(faces));
    const Members members = members_of(faces);
    return mean_over_people(embedder.embed(faces.images), members.set, members.person);
  }

  torch::Tensor originals(const Faces& faces) override {
    return faces.images.slice(0, 0, torch::nullopt, faces_per_row());
  }

  /// Every face is a person here, and as many people as a set has are blended.
  Image picture(const Faces& faces) override {
    const torch::NoGradGuard no_grad;
    Members members;
    for (std::int64_t i = 0; i < faces.images.size(0); ++i) {
      members.set.push_back(i / static_cast<std::int64_t>(sets_.people));
      members.person.push_back(i);
    }
    const auto of_sets = blended(faces, members);
    const auto set_of = torch::tensor(members.set, torch::kInt64).to(of_sets.device());
    return triptych(model_, faces.images, mask_of(faces), of_sets.index_select(0, set_of));
  }

 private:
  Masked mask_of(const Faces& faces) const {
    return masks_of(faces, model_, config_.common.seed, config_.mask_ratio);
  }

  /// By ordinals alone, so that any number of ranks has the same sets. Somebody whom the order visits twice within a
  /// set, where a round ends in it, counts as two.
  Members members_of(const Faces& faces) const {
    Members members;
    const auto& ordinals = faces.ordinals;
    if (!ordinals.empty() && (ordinals.size() % sets_.photos != 0 || ordinals.front() % sets_.photos != 0))
      throw Error(fmt::format("blending: {} faces from ordinal {} on are not whole sets of {}",
                              ordinals.size(), ordinals.front(), sets_.photos));
    for (std::size_t i = 0; i < ordinals.size(); ++i) {
      members.set.push_back(static_cast<std::int64_t>(i / sets_.photos));
      members.person.push_back(static_cast<std::int64_t>(ordinals[i] / sets_.photos_of_each()));
    }
    return members;
  }

  /// One picture for each set: [S, N, P] float32.
  torch::Tensor blended(const Faces& faces, const Members& members) {
    const Autocast reduced(precision_, faces.images.device());
    const Masked mask = mask_of(faces);
    const auto tokens = model_->embed_for_decoder(model_->encode(faces.images, mask));
    const auto together =
        blend_tokens(tokens, mask.kept, members.set, members.person, model_->config.patches(),
                     static_cast<std::int64_t>(sets_.min_people), model_->mask_token);
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
