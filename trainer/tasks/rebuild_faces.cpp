#include <torch/torch.h>

#include "core/random/keys.h"
#include "model/facemae/losses.h"
#include "trainer/apply/triptych.h"
#include "trainer/tasks/rebuilding.h"

namespace facemae {
namespace {

class FaceRebuilding final : public Rebuilding {
 public:
  FaceRebuilding(FaceMae model, const PretrainConfig& config, Precision precision)
      : model_(std::move(model)), config_(config), precision_(precision) {}

  Rebuilt rebuild(const Faces& faces) override {
    const Masked mask = mask_of(faces);
    torch::Tensor predicted;
    {
      const Autocast reduced(precision_, faces.images.device());
      predicted = model_->decode(model_->encode(faces.images, mask), mask).to(torch::kFloat32);
    }
    return {.patches = predicted, .pixel = pixel_loss(faces.images, predicted, mask)};
  }

  torch::Tensor reference(const Faces& faces, Embedder& embedder) override {
    return embedder.embed(faces.images);
  }

  Image picture(const Faces& faces) override {
    return triptych(model_, faces.images, mask_of(faces), config_.normalise_patches);
  }

 private:
  Masked mask_of(const Faces& faces) const {
    return masks_of(faces, model_, config_.common.seed, config_.mask_ratio);
  }

  torch::Tensor pixel_loss(const torch::Tensor& images, const torch::Tensor& predicted,
                           const Masked& mask) const {
    const auto patches = model_->patchify(images);
    const auto target = config_.normalise_patches ? normalise_patches(patches) : patches;
    const double count =
        reconstruction_count(config_.reconstruction, static_cast<std::int64_t>(config_.common.batch),
                             model_->config.patches(), config_.mask_ratio);
    return reconstruction_share(predicted, target, mask, config_.reconstruction, count);
  }

  FaceMae model_;
  PretrainConfig config_;
  Precision precision_;
};

}  // namespace

std::unique_ptr<Rebuilding> rebuild_faces(FaceMae model, const PretrainConfig& config, Precision precision) {
  return std::make_unique<FaceRebuilding>(std::move(model), config, precision);
}

std::unique_ptr<Rebuilding> make_rebuilding(FaceMae model, const PretrainConfig& config,
                                            Precision precision) {
  if (config.code) return rebuild_codes(std::move(model), config, precision);
  if (config.sets()) return rebuild_sets(std::move(model), config, precision);
  return rebuild_faces(std::move(model), config, precision);
}

std::uint64_t mask_key(std::uint64_t seed, std::uint64_t ordinal) {
  return key_of(seed, Purpose::Mask, ordinal);
}

Masked masks_of(const Faces& faces, const FaceMae& model, std::uint64_t seed, double ratio) {
  if (faces.noise.defined()) return mask_from_noise(faces.noise, ratio);
  std::vector<std::uint64_t> keys;
  for (const auto ordinal : faces.ordinals) keys.push_back(mask_key(seed, ordinal));
  return random_masks(keys, model->config.patches(), ratio, faces.images.device());
}

}  // namespace facemae
