#include "trainer/insiders/kept_patches.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/random/keys.h"
#include "evaluation/linkage/features.h"

namespace facemae {
namespace {

constexpr double kNothingHappens = 1e-8;  ///< energy and error of a patch in which nothing happens
constexpr int kNewtonSteps = 25;
constexpr double kNewtonRidge = 1e-3;

torch::Device device_holding(const FaceMae& model) { return model->mask_token.device(); }

/// [B, 3, H, W] -> [B, N]: means over the values of each patch.
torch::Tensor patch_means(const FaceMae& model, const torch::Tensor& values) {
  return model->patchify(values).mean(2);
}

torch::Tensor laplacian(const torch::Tensor& images) {
  const auto padded = torch::nn::functional::pad(
      images, torch::nn::functional::PadFuncOptions({1, 1, 1, 1}).mode(torch::kReplicate));
  const auto height = images.size(2), width = images.size(3);
  return 4 * images - padded.slice(2, 0, height).slice(3, 1, width + 1) -
         padded.slice(2, 2, height + 2).slice(3, 1, width + 1) -
         padded.slice(2, 1, height + 1).slice(3, 0, width) -
         padded.slice(2, 1, height + 1).slice(3, 2, width + 2);
}

}  // namespace

MaskOf drawn_masks(const FaceMae& model, double mask_ratio, std::uint64_t seed, std::uint64_t draw) {
  const auto patches = model->config.patches();
  const auto device = device_holding(model);
  seed = key_of(seed, Purpose::Audit, 5);  // never those of a training
  return [=](std::int64_t first, std::int64_t count) {
    std::vector<std::uint64_t> keys;
    for (std::int64_t i = first; i < first + count; ++i)
      keys.push_back(key_of(seed, Purpose::Mask, static_cast<std::uint64_t>(i), draw));
    return random_masks(keys, patches, mask_ratio, device);
  };
}

torch::Tensor rebuilt(FaceMae& model, const torch::Tensor& photos, const MaskOf& mask, std::int64_t batch) {
  const torch::NoGradGuard no_gradients;
  auto pictures = torch::empty_like(photos);
  for (std::int64_t at = 0; at < photos.size(0); at += batch) {
    const auto count = std::min(batch, photos.size(0) - at);
    const auto faces = as_floats(photos.narrow(0, at, count).to(device_holding(model)));
    const Masked masks = mask(at, count);
    const auto decoded = model->unpatchify(model->decode(model->encode(faces, masks), masks));
    pictures.narrow(0, at, count)
        .copy_(decoded.mul(127.5).add(127.5).round().clamp(0, 255).to(torch::kUInt8));
  }
  return pictures;
}

torch::Tensor kept_clues(FaceMae& model, const torch::Tensor& pictures, const KeptSearch& search,
                         const std::function<void(std::size_t)>& advance) {
  const torch::NoGradGuard no_gradients;
  const auto patches = model->config.patches();
  auto clues = torch::zeros({pictures.size(0), patches, 2});
  for (std::int64_t at = 0; at < pictures.size(0); at += search.batch) {
    const auto count = std::min(search.batch, pictures.size(0) - at);
    const auto faces = as_floats(pictures.narrow(0, at, count).to(device_holding(model)));
    const auto energy = patch_means(model, laplacian(faces).square());
    auto errors = torch::zeros_like(energy), guessed = torch::zeros_like(energy);
    for (std::int64_t draw = 0; draw < search.masks; ++draw) {
      const Masked masks =
          drawn_masks(model, search.mask_ratio, search.seed, static_cast<std::uint64_t>(draw))(at, count);
      const auto again = model->unpatchify(model->decode(model->encode(faces, masks), masks));
      errors += patch_means(model, (again - faces).square()).add(kNothingHappens).log() * masks.hidden;
      guessed += masks.hidden;
    }
    auto rows = clues.narrow(0, at, count);
    rows.select(2, 0).copy_((energy + kNothingHappens).log());
    rows.select(2, 1).copy_(errors / guessed.clamp_min(1));
    advance(static_cast<std::size_t>(count));
  }
  return clues;
}

KeptModel KeptModel::fit(const torch::Tensor& clues, const torch::Tensor& kept) {
  const torch::NoGradGuard no_gradients;
  KeptModel model;
  model.mean_ = clues.mean(0);
  const auto relative = (clues - model.mean_).reshape({-1, 2});
  model.deviation_ = relative.square().mean(0).sqrt().clamp_min(1e-6);
  const auto x =
      torch::cat({relative / model.deviation_, torch::ones({relative.size(0), 1})}, 1).to(torch::kFloat64);
  const auto y = kept.reshape({-1}).to(torch::kFloat64);
  auto weights = torch::zeros({3}, torch::kFloat64);
  for (int step = 0; step < kNewtonSteps; ++step) {
    const auto p = torch::sigmoid(x.mv(weights));
    const auto count = static_cast<double>(x.size(0));
    const auto gradient = x.t().mv(y - p) / count - kNewtonRidge * weights;
    const auto curvature =
        x.t().matmul(x * (p * (1 - p)).unsqueeze(1)) / count + kNewtonRidge * torch::eye(3, torch::kFloat64);
    weights += at::linalg_solve(curvature, gradient);
  }
  model.weights_ = weights.to(torch::kFloat32);
  return model;
}

torch::Tensor KeptModel::probabilities(const torch::Tensor& clues) const {
  const torch::NoGradGuard no_gradients;
  const auto relative = (clues - mean_) / deviation_;
  return torch::sigmoid(relative.matmul(weights_.narrow(0, 0, 2)) + weights_[2]);
}

}  // namespace facemae
