#include "model/common/masking.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/random/keys.h"
#include "model/common/sent.h"

namespace facemae {

torch::Tensor inverse_order(const torch::Tensor& order) {
  const auto places = torch::arange(order.size(1), order.options()).expand_as(order);
  return torch::empty_like(order).scatter_(1, order, places);
}

namespace {

/// Rows [B * N, W] in an order [B, N] of those of each image.
torch::Tensor in_order(const torch::Tensor& rows, const torch::Tensor& order) {
  const auto first = torch::arange(order.size(0), order.options()).unsqueeze(1) * order.size(1);
  return rows.index_select(0, (order + first).flatten());
}

/// A permutation's backward is the inverse permutation; that of a gather would add rows one by one to zeros.
struct Reorder : torch::autograd::Function<Reorder> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& tokens,
                               const torch::Tensor& order) {
    context->save_for_backward({order});
    return in_order(tokens.flatten(0, 1), order).view_as(tokens);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& cotangents) {
    const auto order = context->get_saved_variables()[0];
    return {in_order(cotangents[0].flatten(0, 1), inverse_order(order)).view_as(cotangents[0]), {}};
  }
};

}  // namespace

torch::Tensor reordered(const torch::Tensor& tokens, const torch::Tensor& order) {
  return Reorder::apply(tokens, order);
}

std::int64_t kept_patches(std::int64_t patches, double ratio) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(patches) * (1 - ratio)));
}

Masked mask_from_noise(const torch::Tensor& noise, double ratio) {
  const auto patches = noise.size(1);
  const auto kept = kept_patches(patches, ratio);
  const auto shuffle = torch::argsort(noise, /*stable=*/true, /*dim=*/1, /*descending=*/false);
  const auto restore = inverse_order(shuffle);
  return {shuffle.narrow(1, 0, kept).contiguous(), restore, restore.ge(kept).to(torch::kFloat32)};
}

void draw_noise(std::uint64_t key, std::span<double> noise) {
  Draws draws(key);
  for (double& value : noise) value = draws.uniform();
}

Masked random_masks(std::span<const std::uint64_t> keys, std::int64_t patches, double ratio,
                    torch::Device device) {
  auto noise = torch::empty({static_cast<std::int64_t>(keys.size()), patches}, torch::kFloat64);
  auto* values = noise.data_ptr<double>();
  for (const std::uint64_t key : keys) {
    draw_noise(key, {values, static_cast<std::size_t>(patches)});
    values += patches;
  }
  return mask_from_noise(sent(noise, device), ratio);
}

}  // namespace facemae
