#include "model/facemae/linkage.h"

#include <torch/torch.h>

#include <cmath>
#include <numeric>

#include "cluster/tensors/collectives.h"
#include "core/error.h"
#include "core/kinds.h"
#include "core/log.h"
#include "core/text.h"
#include "model/common/precision.h"

namespace facemae {
namespace {

using torch::Tensor;

// Of our choice: temperature of the cosines; the patches' grid and its cells; variance of a cell's colour.
constexpr double kTemperature = 0.07;
constexpr std::int64_t kPixelGrid = 14, kPatchGrid = 28, kPatchCells = 4;
constexpr double kCellVariance = 0.02;

Tensor pooled(const Tensor& images, std::int64_t grid) {
  return at::adaptive_avg_pool2d(images, {grid, grid});
}

/// Colours on a grid of 14 x 14, without their mean, of length 1.
Tensor pixel_features(const Tensor& images) {
  const auto flat = pooled(images, kPixelGrid).flatten(1);
  const auto centred = flat - flat.mean(1, /*keepdim=*/true);
  return centred / centred.norm(2, 1, /*keepdim=*/true).clamp_min(1e-8);
}

Tensor pixel_scores(const Tensor& rebuilt, const Tensor& real, double /*kept*/) {
  return rebuilt.matmul(real.t()) / kTemperature;
}

/// Colours on a grid of 28 x 28, by cells of 4 x 4: [b, 49 * 48].
Tensor patch_features(const Tensor& images) {
  constexpr std::int64_t cells = kPatchGrid / kPatchCells;
  return pooled(images, kPatchGrid)
      .reshape({images.size(0), 3, cells, kPatchCells, cells, kPatchCells})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({images.size(0), -1});
}

/// sum over cells of log(1 - kept + kept K / mean over originals of K), K = exp(-d^2 / 2h) of the cells' mean squared
/// difference d^2: what a cell says if it was seen, and nothing if it was not.
Tensor patch_scores(const Tensor& rebuilt, const Tensor& real, double kept) {
  constexpr std::int64_t values = 3 * kPatchCells * kPatchCells;
  const auto by_cell = [&](const Tensor& rows) {
    return rows.reshape({rows.size(0), -1, values}).transpose(0, 1);  // [cells, rows, values]
  };
  const auto z = by_cell(rebuilt), x = by_cell(real);
  const auto apart =
      z.square().sum(2, true) + x.square().sum(2).unsqueeze(1) - 2 * z.matmul(x.transpose(1, 2));
  const auto evidence = apart / (-2 * kCellVariance * static_cast<double>(values));  // log K: [cells, b, G]
  const auto typical = evidence.logsumexp(2, /*keepdim=*/true) - std::log(static_cast<double>(real.size(0)));
  const auto seen = evidence - typical + std::log(kept);
  return at::logaddexp(seen, torch::full_like(seen, std::log1p(-kept))).sum(0);
}

constexpr LinkageKind kLinkages[] = {
    {"pixel", "nearest colours on a grid of 14 x 14", pixel_features, pixel_scores},
    {"patch", "patches one by one, of which the kept ones tell", patch_features, patch_scores},
};

}  // namespace

std::span<const LinkageKind> linkage_kinds() { return kLinkages; }
std::vector<std::string> linkage_names() { return names_of(kLinkages); }

std::string linkage_help() {
  std::vector<std::string> all;
  for (const auto& kind : kLinkages) all.push_back(std::string(kind.name) + " (" + kind.help + ")");
  return join(all, ", ");
}

std::vector<LinkageKind> linkage_from(const std::string& names) {
  if (names.empty()) return {std::begin(kLinkages), std::end(kLinkages)};
  std::vector<LinkageKind> chosen;
  for (const auto& name : split(names, ',')) chosen.push_back(row_of(kLinkages, name, "choosing attackers"));
  return chosen;
}

LinkageLoss linkage_share(const Tensor& rebuilt, const Tensor& real, std::span<const LinkageKind> attackers,
                          std::span<const std::int64_t> widths, double kept, Communicator& ranks,
                          std::span<const std::int64_t> rows_of_rank) {
  const FullPrecision scope(rebuilt.device().type());
  const auto own = at_least_float(rebuilt);
  const auto all = gather_rows(at_least_float(real.detach()), ranks, rows_of_rank);
  const std::int64_t first = std::accumulate(rows_of_rank.begin(), rows_of_rank.begin() + ranks.rank(),
                                             std::int64_t{0}),
                     total = all.size(0);
  const auto originals =
      torch::arange(first, first + own.size(0), own.options().dtype(torch::kInt64)).unsqueeze(1);
  std::vector<Tensor> gains, hits;
  std::int64_t at = 0;
  for (std::size_t a = 0; a < attackers.size(); ++a) {
    const auto scores = attackers[a].scores(own.narrow(1, at, widths[a]), all.narrow(1, at, widths[a]), kept);
    at += widths[a];
    const auto right = scores.gather(1, originals);  // [b, 1]
    gains.push_back(
        (right.squeeze(1) - scores.logsumexp(1) + std::log(static_cast<double>(total))).clamp_min(0));
    const auto beaten = scores.detach().ge(right.detach()).sum(1);  // by itself alone, when it is the highest
    hits.push_back(beaten.eq(1).sum().to(own.scalar_type()));
  }
  return {.share = torch::stack(gains).amax(0).sum() / static_cast<double>(total),
          .hits = torch::stack(hits).detach()};
}

}  // namespace facemae
