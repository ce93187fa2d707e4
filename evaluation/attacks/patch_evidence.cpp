#include "evaluation/attacks/patch_evidence.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/linkage/features.h"

namespace facemae {
namespace {

constexpr double kMostSure = 0.98;    ///< no single patch rules a person out
constexpr double kLeastWidth = 1e-8;  ///< a patch that looks alike in all photos tells nothing
constexpr std::int64_t kPicturesAtOnce = 256;

}  // namespace

torch::Tensor patch_features(const torch::Tensor& pictures, std::int64_t patch, std::int64_t side) {
  const torch::NoGradGuard no_gradients;
  const std::int64_t grid = pictures.size(2) / patch, cells = std::min(side, patch);
  std::vector<torch::Tensor> all;
  for (std::int64_t at = 0; at < pictures.size(0); at += kPicturesAtOnce) {
    const auto floats = as_floats(pictures.narrow(0, at, std::min(kPicturesAtOnce, pictures.size(0) - at)));
    const auto pooled = torch::nn::functional::adaptive_avg_pool2d(
        floats, torch::nn::functional::AdaptiveAvgPool2dFuncOptions({grid * cells, grid * cells}));
    all.push_back(pooled.reshape({floats.size(0), 3, grid, cells, grid, cells})
                      .permute({0, 2, 4, 1, 3, 5})
                      .reshape({floats.size(0), grid * grid, 3 * cells * cells}));
  }
  return all.empty() ? torch::empty({0, grid * grid, 3 * cells * cells}) : torch::cat(all);
}

torch::Tensor patch_evidence(const torch::Tensor& pictures, const torch::Tensor& kept,
                             const torch::Tensor& photos, std::span<const std::int64_t> people_of_photo,
                             std::int64_t people, const torch::Tensor& width, std::int64_t block_bytes) {
  const std::int64_t count = pictures.size(0), patches = pictures.size(1), gallery = photos.size(0);
  if (kept.size(0) != count || kept.size(1) != patches || photos.size(1) != patches ||
      width.numel() != patches || std::ssize(people_of_photo) != gallery)
    throw ConfigError(fmt::format(
        "comparing patches: {} pictures of {} patches, probabilities [{}], {} photos of {} patches and {} people, {} widths",
        count, patches, fmt::join(kept.sizes(), ", "), gallery, photos.size(1), people_of_photo.size(),
        width.numel()));
  const torch::NoGradGuard no_gradients;
  const auto person =
      torch::tensor(at::ArrayRef<std::int64_t>(people_of_photo.data(), people_of_photo.size()));
  const auto photos_of = torch::zeros({people}).index_add_(0, person, torch::ones({gallery})).clamp_min(1);
  const auto sure = kept.to(torch::kFloat32).clamp(0, kMostSure);
  auto evidence = torch::zeros({count, people});
  const std::int64_t block =
      std::clamp<std::int64_t>(block_bytes / (16 * std::max<std::int64_t>(1, gallery)), 1, 512);
  for (std::int64_t at = 0; at < count; at += block) {
    const std::int64_t rows = std::min(block, count - at);
    for (std::int64_t n = 0; n < patches; ++n) {
      const auto z = pictures.narrow(0, at, rows).select(1, n), g = photos.select(1, n);
      const auto distance = torch::cdist(z, g).square_();
      const auto nearest =
          std::get<0>(distance.min(1, /*keepdim=*/true));  // cancels, and keeps K from underflow
      const auto kernel =
          (nearest - distance).div_(2 * std::max(width[n].item<double>(), kLeastWidth)).exp_();
      const auto of_person = torch::zeros({rows, people}).index_add_(1, person, kernel) / photos_of;
      const auto w = sure.narrow(0, at, rows).select(1, n).unsqueeze(1);
      evidence.narrow(0, at, rows) += torch::log(1 - w + w * of_person / kernel.mean(1, true));
    }
  }
  return evidence;
}

}  // namespace facemae
