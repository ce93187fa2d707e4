#include "evaluation/attacks/patch_attacker.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "evaluation/linkage/features.h"

namespace facemae {
namespace {

namespace F = torch::nn::functional;
constexpr std::int64_t kGrid = 7, kCells = 4, kPatches = kGrid * kGrid;
constexpr std::int64_t kFitted = 512, kBlockFloats = 8 << 20, kAtOnce = 512;
/// Of the mean squared distance of a patch from another photo's.
constexpr std::array kBandwidths{0.001, 0.003, 0.01, 0.03, 0.1, 0.3};
constexpr std::array kShares{0.02, 0.1, 0.3, 0.6, 0.9};

/// [N, 3, H, W] -> [49, N, 48] float32.
torch::Tensor patches_of(const torch::Tensor& pictures) {
  const std::int64_t count = pictures.size(0), side = kGrid * kCells;
  auto all = torch::empty({kPatches, count, 3 * kCells * kCells});
  for (std::int64_t begin = 0; begin < count; begin += kAtOnce) {
    const std::int64_t rows = std::min(kAtOnce, count - begin);
    const auto small = F::adaptive_avg_pool2d(as_floats(pictures.narrow(0, begin, rows)),
                                              F::AdaptiveAvgPool2dFuncOptions({side, side}));
    all.narrow(1, begin, rows)
        .copy_(small.view({rows, 3, kGrid, kCells, kGrid, kCells})
                   .permute({2, 4, 0, 1, 3, 5})
                   .reshape({kPatches, rows, -1}));
  }
  return all;
}

struct People {
  torch::Tensor of_photo;  ///< [N]
  torch::Tensor photos;    ///< [people, 1] how many each has
};

People people_of(const RealFaces& real) {
  const auto of_photo = torch::tensor(real.people, torch::kInt64);
  return {of_photo,
          torch::bincount(of_photo, {}, real.people_count).to(torch::kFloat32).clamp_min(1).unsqueeze(1)};
}

/// d^2 of patch p of all photos [N, 48] from some pictures [b, 48] -> [N, b]; the smallest of each picture is taken
/// out, which the ratio of means does not notice and the exponential needs.
torch::Tensor distances(const torch::Tensor& pictures, const torch::Tensor& photos) {
  auto d = torch::addmm(photos.square().sum(1, true), photos, pictures.t(), 1, -2);
  return d -= std::get<0>(d.min(0, true));
}

/// [people, b]: mean of the person's K over mean of all.
torch::Tensor ratios(const torch::Tensor& distance, double h, const People& people) {
  const auto k = (distance * (-1 / (2 * h))).exp_();
  return torch::zeros({people.photos.size(0), k.size(1)}).index_add_(0, people.of_photo, k) / people.photos /
         k.mean(0, true);
}

/// Mean over pictures of 1 / rank of the best of its people: a smooth count of hits.
double reciprocal_rank(const torch::Tensor& scores, const std::vector<std::vector<std::int64_t>>& right) {
  double sum = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    const auto row = scores[static_cast<std::int64_t>(i)];
    const auto best = row.index_select(0, torch::tensor(right[i])).max();
    const double better = (row > best).sum().item<double>(), level = (row == best).sum().item<double>();
    sum += 1 / (better + (level + 1) / 2);
  }
  return sum / static_cast<double>(right.size());
}

}  // namespace

AttackerFacts PatchAttacker::facts() const {
  return {
      .id = "A2",
      .name = "patch-wise sets, 7x7 patches",
      .knows = "All real pictures of a person, and how much of a picture is kept, from people of its own.",
      .controls = "Copies of real photos in the release.",
      .cost = "49 products of all released with all real pictures."};
}

void PatchAttacker::fit(const Lesson& lesson) {
  const torch::NoGradGuard no_gradients;
  if (lesson.real.people_count < 2 || lesson.links.photos_of_picture.empty())
    throw ConfigError(
        "the patch-wise attacker was to learn from fewer than two people: it needs people of its own "
        "(--attacker-store, --attacker-released, --attacker-link)");
  const std::int64_t count = lesson.released.pictures.size(0), used = std::min(count, kFitted);
  std::vector<std::int64_t> rows;
  std::vector<std::vector<std::int64_t>> right;
  for (std::int64_t i = 0; i < used; ++i) {
    rows.push_back(i * count / used);  // spread over all classes
    right.emplace_back();
    for (const std::int64_t photo : lesson.links.photos_of_picture[static_cast<std::size_t>(rows.back())])
      right.back().push_back(lesson.real.people[static_cast<std::size_t>(photo)]);
  }
  const auto pictures = patches_of(lesson.released.pictures.index_select(0, torch::tensor(rows)));
  const auto photos = patches_of(lesson.real.photos);
  const People people = people_of(lesson.real);
  const double scale = 2 * photos.var(1).mean().item<double>() * static_cast<double>(photos.size(2));
  double best = -1;
  for (const double share : kBandwidths) {
    const double h = std::max(share * scale, 1e-9);
    std::vector<torch::Tensor> scores(kShares.size());
    for (auto& sum : scores) sum = torch::zeros({lesson.real.people_count, used});
    for (std::int64_t p = 0; p < kPatches; ++p) {
      const auto ratio = ratios(distances(pictures[p], photos[p]), h, people);
      for (std::size_t s = 0; s < kShares.size(); ++s)
        scores[s] += (ratio * kShares[s] + (1 - kShares[s])).log();
    }
    for (std::size_t s = 0; s < kShares.size(); ++s) {
      const double found = reciprocal_rank(scores[s].t(), right);
      if (found > best) best = found, h_ = h, pi_ = kShares[s];
    }
  }
}

Evidence PatchAttacker::look(const ReleasedFaces& released, const RealFaces& real) {
  if (h_ == 0) throw ConfigError("the patch-wise attacker was asked before it had learnt");
  const torch::NoGradGuard no_gradients;
  const auto photos = patches_of(real.photos);
  const People people = people_of(real);
  const std::int64_t count = released.pictures.size(0);
  const std::int64_t block = std::clamp<std::int64_t>(
      kBlockFloats / std::max<std::int64_t>(real.photos.size(0), 1), 1, std::max<std::int64_t>(count, 1));
  Evidence evidence{.by_person = torch::zeros({count, real.people_count})};
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const std::int64_t rows = std::min(block, count - begin);
    const auto pictures = patches_of(released.pictures.narrow(0, begin, rows));
    auto scores = evidence.by_person.narrow(0, begin, rows);
    for (std::int64_t p = 0; p < kPatches; ++p)
      scores += (ratios(distances(pictures[p], photos[p]), h_, people) * pi_ + (1 - pi_)).log_().t();
  }
  return evidence;
}

}  // namespace facemae
