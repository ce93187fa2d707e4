#include "model/facemae/losses.h"

#include <torch/torch.h>

#include "core/error.h"
#include "model/common/precision.h"

namespace facemae {
namespace {

struct Clamp : torch::autograd::Function<Clamp> {
  static torch::Tensor forward(torch::autograd::AutogradContext* /*context*/, const torch::Tensor& x,
                               double low, double high) {
    return x.clamp(low, high);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* /*context*/,
                                                 const torch::autograd::variable_list& cotangents) {
    return {cotangents[0], {}, {}};
  }
};

constexpr Named<Reconstruction> kReconstructions[] = {
    {"all", Reconstruction::All, "count all patches, as a release needs"},
    {"hidden", Reconstruction::Hidden, "count the hidden patches alone, as MAE does"},
    {"none", Reconstruction::None, "train without a pixel loss"},
};

}  // namespace

std::span<const Named<Reconstruction>> reconstruction_kinds() { return kReconstructions; }
Reconstruction reconstruction_from(const std::string& name) {
  return row_of(kReconstructions, name, "choosing the pixel loss").value;
}

double reconstruction_count(Reconstruction which, std::int64_t images, std::int64_t patches, double ratio) {
  if (which == Reconstruction::None) return 0;
  const auto counted = which == Reconstruction::All ? patches : patches - kept_patches(patches, ratio);
  return static_cast<double>(images) * static_cast<double>(counted);
}

torch::Tensor reconstruction_share(const torch::Tensor& predicted, const torch::Tensor& target,
                                   const Masked& mask, Reconstruction which, double count) {
  if (which == Reconstruction::None)
    return torch::zeros({}, at_least_float(predicted).options().requires_grad(false));
  if (!(count > 0))
    throw ConfigError(
        "computing the pixel loss: no patch is counted in it; raise the mask ratio or choose another loss.");
  const FullPrecision scope(predicted.device().type());
  const auto difference = at_least_float(predicted) - at_least_float(target);
  auto error = difference.square().mean(-1);
  if (which == Reconstruction::Hidden) error = error * mask.hidden;
  return error.sum() / count;
}

torch::Tensor low_pass_share(const torch::Tensor& predicted, const torch::Tensor& target, double count) {
  const FullPrecision scope(predicted.device().type());
  const auto coarse = at::avg_pool2d(at_least_float(predicted) - at_least_float(target), /*kernel_size=*/4);
  return coarse.square().sum() / (count * static_cast<double>(coarse[0].numel()));
}

torch::Tensor normalise_patches(const torch::Tensor& patches) {
  const FullPrecision scope(patches.device().type());
  const auto x = at_least_float(patches);
  return (x - x.mean(-1, /*keepdim=*/true)) / (x.var(-1, /*unbiased=*/true, /*keepdim=*/true) + 1e-6).sqrt();
}

torch::Tensor clamp_straight_through(const torch::Tensor& x, double low, double high) {
  return Clamp::apply(x, low, high);
}

}  // namespace facemae
