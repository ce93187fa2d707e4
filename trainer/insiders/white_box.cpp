#include "trainer/insiders/white_box.h"

#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "evaluation/attacks/patch_evidence.h"
#include "evaluation/linkage/features.h"
#include "trainer/insiders/kept_patches.h"

namespace facemae {
namespace {

/// Kernel widths that are tried, as parts of the squared distance of a kept patch from the photo's.
constexpr double kKernelWidths[] = {1, 0.25, 0.0625, 0.02};

/// Parts [first, first + count) of a mask.
Masked part_of(const Masked& mask, std::int64_t first, std::int64_t count) {
  return {mask.kept.narrow(0, first, count), mask.restore.narrow(0, first, count),
          mask.hidden.narrow(0, first, count)};
}

class WhiteBox final : public Attacker {
 public:
  WhiteBox(FaceMae model, const WhiteBoxConfig& config) : model_(std::move(model)), config_(config) {}

  AttackerFacts facts() const override {
    return {.id = "A12",
            .name = "white box: kept patches found and optimised",
            .knows = "the FaceMAE that made the release, its mask ratio, and photos of people.",
            .controls = "which patches it finds is tried on pictures that it makes of its own photos.",
            .cost = fmt::format("{} rebuilds of each picture, and {} steps for each of {} pictures.",
                                config_.masks, config_.steps, config_.probes)};
  }

  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    const auto side = static_cast<std::int64_t>(model_->config.image);
    if (released.pictures.size(2) != side || real.photos.size(2) != side)
      throw ConfigError(fmt::format(
          "attacking with FaceMAE itself: it makes pictures of {} pixels, the release has {} and the photos {}",
          side, released.pictures.size(2), real.photos.size(2)));
    const auto photos = patch_features(real.photos, model_->config.patch);
    const Rehearsal own = rehearse(real, photos);
    spdlog::info(
        "A12: of kept patches {:.0f} % are found in its own pictures (chance {:.0f} %); optimising {}",
        100 * own.found, 100 * own.chance, own.optimise ? "helps" : "does not help, and is left out");
    const auto kept = own.model.probabilities(clues(released.pictures, "finding kept patches", 1));
    auto pictures = patch_features(released.pictures, model_->config.patch);
    if (own.optimise) optimise(released.pictures, kept, pictures);
    return {.by_person = patch_evidence(pictures, kept, photos, real.people, real.people_count, own.width)};
  }

 private:
  /// What the attacker learns from pictures that he makes of his own photos.
  struct Rehearsal {
    KeptModel model;
    torch::Tensor width;  ///< [N], of the kernels
    bool optimise = false;
    double found = 0, chance = 0;  ///< of the kept patches among as many that look likeliest
  };

  torch::Tensor clues(const torch::Tensor& pictures, const std::string& what, std::uint64_t draw) {
    Progress progress(what, static_cast<std::uint64_t>(pictures.size(0)), "pictures", config_.show_progress);
    auto found = kept_clues(model_, pictures,
                            {.mask_ratio = config_.mask_ratio,
                             .masks = config_.masks,
                             .batch = config_.batch,
                             .seed = key_of(config_.seed, Purpose::Audit, 4, draw)},
                            [&](std::size_t count) { progress.advance(count); });
    progress.finish();
    return found;
  }

  Rehearsal rehearse(const RealFaces& real, const torch::Tensor& photos) {
    const auto count = static_cast<std::uint64_t>(real.photos.size(0));
    const Permutation draw(count, key_of(config_.seed, Purpose::Audit, 4, 0));
    std::vector<std::int64_t> rows;
    for (std::uint64_t i = 0; i < std::min(count, static_cast<std::uint64_t>(config_.rehearsal)); ++i)
      rows.push_back(static_cast<std::int64_t>(draw(i)));
    const auto index = torch::tensor(at::ArrayRef<std::int64_t>(rows));
    const auto mine = real.photos.index_select(0, index);
    const auto masks = drawn_masks(model_, config_.mask_ratio, key_of(config_.seed, Purpose::Audit, 4, 2), 0);
    const auto pictures = rebuilt(model_, mine, masks);
    const Masked truth = masks(0, mine.size(0));
    const auto kept = (1 - truth.hidden).cpu();
    const auto seen = clues(pictures, "rehearsing on photos", 3);
    Rehearsal own{.model = KeptModel::fit(seen, kept), .chance = kept.mean().item<double>()};
    const auto probable = own.model.probabilities(seen);
    const Masked guess = likeliest(probable);
    own.found = ((1 - guess.hidden).cpu() * kept).sum().item<double>() / kept.sum().item<double>();

    const auto target = photos.index_select(0, index), plain = patch_features(pictures, model_->config.patch);
    const auto few = std::min<std::int64_t>(config_.batch, mine.size(0));
    if (config_.probes > 0 && config_.steps > 0) {
      auto better = plain.narrow(0, 0, few).clone();
      optimise_some(pictures.narrow(0, 0, few), part_of(guess, 0, few), better);
      const auto some = kept.narrow(0, 0, few);
      own.optimise = distance(better, target.narrow(0, 0, few), some).sum().item<double>() <
                     distance(plain.narrow(0, 0, few), target.narrow(0, 0, few), some).sum().item<double>();
    }
    own.width = best_width(real, photos, plain, target, probable, kept, rows);
    return own;
  }

  /// [P, N] squared distances of patches that were kept, 0 elsewhere.
  static torch::Tensor distance(const torch::Tensor& pictures, const torch::Tensor& photos,
                                const torch::Tensor& kept) {
    return (pictures - photos).square().sum(2) * kept;
  }

  /// The widths with which the right people of his own pictures get most of the evidence.
  torch::Tensor best_width(const RealFaces& real, const torch::Tensor& photos, const torch::Tensor& pictures,
                           const torch::Tensor& target, const torch::Tensor& probable,
                           const torch::Tensor& kept, const std::vector<std::int64_t>& rows) const {
    // At each place, and where a place was seldom kept as everywhere.
    const auto all = distance(pictures, target, kept);
    const double everywhere = all.sum().item<double>() / std::max(kept.sum().item<double>(), 1.0);
    const auto places = (all.sum(0) + 4 * everywhere) / (kept.sum(0) + 4);
    std::vector<std::int64_t> people;
    for (const auto row : rows) people.push_back(real.people[static_cast<std::size_t>(row)]);
    const auto right = torch::tensor(at::ArrayRef<std::int64_t>(people)).unsqueeze(1);
    double most = -std::numeric_limits<double>::infinity();
    torch::Tensor best;
    for (const double part : kKernelWidths) {
      const auto evidence =
          patch_evidence(pictures, probable, photos, real.people, real.people_count, part * places);
      const double likely = torch::log_softmax(evidence, 1).gather(1, right).mean().item<double>();
      if (likely > most) {
        most = likely;
        best = part * places;
      }
    }
    return best;
  }

  /// As many patches as FaceMAE keeps: those of the highest probability in each row.
  Masked likeliest(const torch::Tensor& probabilities) const {
    return mask_from_noise((-probabilities).to(torch::kFloat64).to(model_->mask_token.device()),
                           config_.mask_ratio);
  }

  /// Replaces the features of kept patches by those of optimised ones. pictures uint8, features [B, N, F].
  void optimise_some(const torch::Tensor& pictures, const Masked& mask, torch::Tensor features) {
    const auto found =
        optimised_patches(model_, as_floats(pictures), mask, config_.steps, config_.learning_rate).cpu();
    const auto kept = (1 - mask.hidden).cpu().unsqueeze(2) > 0.5;
    features.copy_(torch::where(kept, patch_features(found, model_->config.patch), features));
  }

  void optimise(const torch::Tensor& pictures, const torch::Tensor& kept, torch::Tensor& features) {
    const auto count = pictures.size(0), probes = std::min(config_.probes, count);
    Progress progress("optimising kept patches", static_cast<std::uint64_t>(probes), "pictures",
                      config_.show_progress);
    for (std::int64_t at = 0; at < probes; at += config_.batch) {
      std::vector<std::int64_t> rows;
      for (std::int64_t i = at; i < std::min(at + config_.batch, probes); ++i)
        rows.push_back(i * count / probes);
      const auto index = torch::tensor(at::ArrayRef<std::int64_t>(rows));
      auto some = features.index_select(0, index);
      optimise_some(pictures.index_select(0, index), likeliest(kept.index_select(0, index)), some);
      features.index_copy_(0, index, some);
      progress.advance(rows.size());
    }
    progress.finish();
  }

  FaceMae model_;
  WhiteBoxConfig config_;
};

}  // namespace

torch::Tensor optimised_patches(FaceMae& model, const torch::Tensor& pictures, const Masked& mask,
                                std::int64_t steps, double learning_rate) {
  const torch::AutoGradMode with_gradients(true);  // who counts what attackers see does without
  for (auto& parameter : model->parameters()) parameter.set_requires_grad(false);
  const auto aim = pictures.to(model->mask_token.device());
  auto photo = aim.clone().set_requires_grad(true);
  torch::optim::Adam adam({photo}, torch::optim::AdamOptions(learning_rate));
  for (std::int64_t step = 0; step < steps; ++step) {
    adam.zero_grad();
    const auto decoded = model->unpatchify(model->decode(model->encode(photo, mask), mask));
    (decoded - aim).square().mean({1, 2, 3}).sum().backward();
    adam.step();
    const torch::NoGradGuard no_gradients;
    photo.clamp_(-1, 1);
  }
  return photo.detach();
}

std::unique_ptr<Attacker> white_box(FaceMae model, const WhiteBoxConfig& config) {
  return std::make_unique<WhiteBox>(std::move(model), config);
}

}  // namespace facemae
