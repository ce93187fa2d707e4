// Training with a code (docs/METHOD.md, "Code"): a row is a picture made of the noisy mean code of several photos of one
// person and of a little of a photo of somebody else.
#include <torch/torch.h>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "model/common/sent.h"
#include "model/facemae/code.h"
#include "model/facemae/losses.h"
#include "trainer/apply/triptych.h"
#include "trainer/tasks/rebuilding.h"

namespace facemae {
namespace {

constexpr double kMostNoise = 0.3;  ///< standard deviation of a value of the code, whose length is 1 at most

/// What is drawn for a set: which photos its code is the mean of, how noisy it is, and its nuisance.
struct Drawn {
  std::int64_t photos = 1;
  std::vector<float> noise;
  std::int64_t nuisance = 0;  ///< photo of the other set of the pair
  std::uint64_t mask = 0;     ///< key of the nuisance's mask
  bool shown = true;
};

Drawn draw(std::uint64_t seed, std::uint64_t ordinal, std::int64_t photos, int width) {
  Draws draws(key_of(seed, Purpose::Code, ordinal));
  Drawn drawn;
  drawn.photos = 1 + static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(photos)));
  drawn.nuisance = static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(photos)));
  drawn.mask = draws.next();
  drawn.shown = draws.uniform() < 0.5;
  const double deviation = draws.uniform(0, kMostNoise);
  for (int i = 0; i < width; ++i) drawn.noise.push_back(static_cast<float>(deviation * draws.normal()));
  return drawn;
}

class CodeRebuilding final : public Rebuilding {
 public:
  CodeRebuilding(FaceMae model, const PretrainConfig& config, Precision precision)
      : model_(std::move(model)),
        config_(config),
        photos_(static_cast<std::int64_t>(config.sets().value().photos)),
        precision_(precision) {}

  std::int64_t faces_per_row() const override { return photos_; }

  Rebuilt rebuild(const Faces& faces) override {
    const auto sets = sets_of(faces);
    std::vector<std::int64_t> used, set_of_used, photos, nuisances;
    std::vector<std::uint64_t> nuisance_masks;
    std::vector<float> shown, noise;
    for (std::int64_t set = 0; set < sets; ++set) {
      const auto drawn = draw(config_.common.seed, faces.ordinals[static_cast<std::size_t>(set * photos_)],
                              photos_, model_->config.code);
      photos.push_back(drawn.photos);
      for (std::int64_t i = 0; i < drawn.photos; ++i) {
        used.push_back(set * photos_ + i);
        set_of_used.push_back(set);
      }
      nuisances.push_back((set ^ 1) * photos_ + drawn.nuisance);
      nuisance_masks.push_back(drawn.mask);
      shown.push_back(drawn.shown ? 1 : 0);
      noise.insert(noise.end(), drawn.noise.begin(), drawn.noise.end());
    }
    const auto device = faces.images.device();
    const auto rows = [&](const std::vector<std::int64_t>& numbers) {
      return faces.images.index_select(0, sent(torch::tensor(numbers, torch::kInt64), device));
    };
    const Masked all = masks_of(faces, model_, config_.common.seed, config_.mask_ratio);
    const Masked mask{.kept = all.kept.index_select(0, sent(torch::tensor(used, torch::kInt64), device))};
    const auto set_of = sent(torch::tensor(set_of_used, torch::kInt64), device);
    const auto of_photos = codes_of(*model_, encode(rows(used), mask));
    const auto codes = torch::zeros({sets, model_->config.code}, of_photos.options().requires_grad(false))
                           .index_add(0, set_of, of_photos) /
                       sent(torch::tensor(photos, torch::kInt64), device).unsqueeze(1);
    const auto noisy =
        codes + sent(torch::tensor(noise, torch::kFloat32).reshape({sets, model_->config.code}), device);
    const Masked two = random_masks(nuisance_masks, model_->config.patches(),
                                    nuisance_ratio(model_->config.patches()), device);
    Rebuilt rebuilt{.patches = decode(noisy, {.tokens = embed(rows(nuisances), two),
                                              .kept = two.kept,
                                              .shown = sent(torch::tensor(shown, torch::kFloat32), device)}),
                    .pixel = {}};
    rebuilt.pixel =
        config_.reconstruction == Reconstruction::None
            ? torch::zeros({}, faces.images.options())
            : low_pass_share(model_->unpatchify(rebuilt.patches), mean_of_set(faces.images),
                             static_cast<double>(config_.common.batch) / static_cast<double>(photos_));
    return rebuilt;
  }

  torch::Tensor reference(const Faces& faces, Embedder& embedder) override {
    if (!config_.relates_blends()) return embedder.embed(originals(faces));
    return mean_of_set(embedder.embed(faces.images));
  }

  torch::Tensor originals(const Faces& faces) override {
    return faces.images.slice(0, 0, torch::nullopt, photos_);
  }

  /// Every face by its own code, without noise and nuisance.
  Image picture(const Faces& faces) override {
    return triptych(model_, faces.images, masks_of(faces, model_, config_.common.seed, config_.mask_ratio));
  }

 private:
  std::int64_t sets_of(const Faces& faces) const {
    const auto pair = 2 * static_cast<std::size_t>(photos_);
    if (!faces.ordinals.empty() && (faces.ordinals.size() % pair != 0 || faces.ordinals.front() % pair != 0))
      throw Error(
          fmt::format("training a code: {} faces from ordinal {} on are not whole pairs of sets of {}",
                      faces.ordinals.size(), faces.ordinals.front(), photos_));
    return static_cast<std::int64_t>(faces.ordinals.size()) / photos_;
  }

  torch::Tensor mean_of_set(const torch::Tensor& of_photos) const {
    auto sizes = of_photos.sizes().vec();
    sizes.insert(sizes.begin(), -1);
    sizes[1] = photos_;
    return of_photos.reshape(sizes).mean(1);
  }

  torch::Tensor encode(const torch::Tensor& images, const Masked& mask) {
    const Autocast reduced(precision_, images.device());
    return model_->encode(images, mask);
  }
  torch::Tensor embed(const torch::Tensor& images, const Masked& mask) {
    const Autocast reduced(precision_, images.device());
    return model_->embed_for_decoder(model_->encode(images, mask));
  }
  torch::Tensor decode(const torch::Tensor& codes, const Nuisance& nuisance) {
    const Autocast reduced(precision_, codes.device());
    return model_->decode_tokens(tokens_of_codes(*model_, codes, nuisance)).to(torch::kFloat32);
  }

  FaceMae model_;
  PretrainConfig config_;
  std::int64_t photos_;  ///< of a set
  Precision precision_;
};

}  // namespace

std::unique_ptr<Rebuilding> rebuild_codes(FaceMae model, const PretrainConfig& config, Precision precision) {
  return std::make_unique<CodeRebuilding>(std::move(model), config, precision);
}

}  // namespace facemae
