#include "evaluation/linkage/features.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/log.h"
#include "core/parallel.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

namespace F = torch::nn::functional;
constexpr std::int64_t kBatch = 512;

torch::Tensor unit_rows(const torch::Tensor& rows) {
  // The epsilon turns a flat picture into zeros: it is like nothing, not like every other flat picture.
  return rows / rows.norm(2, 1, true).clamp_min(1e-6);
}

/// [k, size]: rows are the first k basis vectors of the orthonormal DCT-II.
torch::Tensor dct_basis(std::int64_t k, std::int64_t size) {
  const auto at = torch::arange(size, torch::kFloat64) + 0.5;
  const auto frequency = torch::arange(k, torch::kFloat64);
  auto basis =
      torch::cos(frequency.unsqueeze(1) * at.unsqueeze(0) * (std::numbers::pi / static_cast<double>(size)));
  basis *= std::sqrt(2.0 / static_cast<double>(size));
  basis[0] /= std::numbers::sqrt2;
  return basis.to(torch::kFloat32);
}

torch::Tensor grey(const torch::Tensor& images) {
  if (images.size(1) == 1) return images.squeeze(1);
  const auto weights = torch::tensor({0.299f, 0.587f, 0.114f}, images.options()).view({1, 3, 1, 1});
  return (images * weights).sum(1);
}

}  // namespace

torch::Tensor as_floats(const torch::Tensor& images) {
  if (images.scalar_type() == torch::kUInt8) return images.to(torch::kFloat32).sub_(127.5).div_(127.5);
  return images.to(torch::kFloat32);
}

torch::Tensor features_in_batches(const torch::Tensor& images, std::int64_t batch,
                                  const std::function<torch::Tensor(const torch::Tensor&)>& to_rows) {
  if (!images.defined() || images.dim() != 4)
    throw ConfigError("features need images as [N, channels, height, width]");
  const torch::NoGradGuard no_gradients;
  torch::Tensor all;
  for (std::int64_t begin = 0; begin < images.size(0); begin += batch) {
    const std::int64_t count = std::min(batch, images.size(0) - begin);
    const auto rows =
        to_rows(as_floats(images.narrow(0, begin, count))).to(torch::kCPU, torch::kFloat32).flatten(1);
    if (rows.size(0) != count) {
      throw ConfigError(fmt::format("features of {} images came back as {} rows", count, rows.size(0)));
    }
    if (!rows.isfinite().all().item<bool>()) {
      throw ConfigError(fmt::format(
          "features of images {} to {} are not all finite: broken weights, or the wrong input range (embedders get -1..1)?",
          begin, begin + count - 1));
    }
    if (!all.defined()) all = torch::empty({images.size(0), rows.size(1)});
    all.narrow(0, begin, count).copy_(unit_rows(rows));
  }
  return all.defined() ? all : torch::empty({0, 1});
}

torch::Tensor pixel_features(const torch::Tensor& images, std::int64_t side) {
  return features_in_batches(images, kBatch, [side](const torch::Tensor& floats) {
    const auto pooled =
        F::adaptive_avg_pool2d(floats, F::AdaptiveAvgPool2dFuncOptions({side, side})).flatten(1);
    return pooled - pooled.mean(1, true);
  });
}

torch::Tensor dct_features(const torch::Tensor& images, std::int64_t k) {
  if (images.dim() != 4 || k < 2 || k > images.size(2) || k > images.size(3)) {
    throw ConfigError(fmt::format("DCT features: {0} x {0} coefficients do not exist in these images", k));
  }
  const auto down = dct_basis(k, images.size(2)), across = dct_basis(k, images.size(3)).t();
  return features_in_batches(images, kBatch, [&](const torch::Tensor& floats) {
    const auto pixels = grey(floats);
    const auto coefficients =
        torch::matmul(torch::matmul(down.to(pixels.device()), pixels), across.to(pixels.device()));
    return coefficients.flatten(1).slice(1, 1);  // the first is the mean
  });
}

torch::Tensor mosaic(const torch::Tensor& images, std::int64_t side) {
  const std::int64_t height = images.size(2), width = images.size(3);
  const auto cells = [side](std::int64_t length) { return std::max<std::int64_t>(1, length / side); };
  const auto pooled = F::adaptive_avg_pool2d(images.to(torch::kFloat32),
                                             F::AdaptiveAvgPool2dFuncOptions({cells(height), cells(width)}));
  auto blocks = F::interpolate(
      pooled,
      F::InterpolateFuncOptions().size(std::vector<std::int64_t>{height, width}).mode(torch::kNearest));
  if (images.scalar_type() == torch::kUInt8) blocks = blocks.round_();
  return blocks.to(images.scalar_type());
}

torch::Tensor mildly_perturbed(const torch::Tensor& images, std::uint64_t seed) {
  const bool bytes = images.scalar_type() == torch::kUInt8;
  const double unit = bytes ? 1 : 1 / 127.5;  // one grey level
  const double middle = bytes ? 127.5 : 0;
  auto out = images.to(torch::kCPU, torch::kFloat32).contiguous().clone();
  float* pixels = out.data_ptr<float>();
  const std::int64_t count = out.size(0), size = count > 0 ? out.numel() / count : 0;
  in_ranges(count, 8, torch::get_num_threads(), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      Draws draws(key_of(seed, Purpose::Audit, 1, static_cast<std::uint64_t>(i)));
      const double gain = draws.uniform(0.9, 1.1), offset = draws.uniform(-12, 12) * unit;
      for (std::int64_t j = i * size; j < (i + 1) * size; ++j) {
        const double noise = draws.uniform(-8, 8) * unit;
        pixels[j] = static_cast<float>((pixels[j] - middle) * gain + middle + offset + noise);
      }
    }
  });
  if (bytes) return out.round_().clamp_(0, 255).to(torch::kUInt8);
  return out.clamp_(-1, 1).to(images.scalar_type());
}

}  // namespace facemae
