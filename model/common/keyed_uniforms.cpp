#include "model/common/keyed_uniforms.h"

#include <torch/torch.h>

#include <bit>

namespace facemae {
namespace {

constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;

/// The same 64 bits: products and sums of int64 tensors wrap.
std::int64_t as_signed(std::uint64_t bits) { return std::bit_cast<std::int64_t>(bits); }

/// Shifts zeros in, whatever the sign.
torch::Tensor shifted(const torch::Tensor& bits, int by) {
  return bits.bitwise_right_shift(by).bitwise_and_(as_signed(~0ULL >> by));
}

/// mix() of core/random/keys.h, in place.
torch::Tensor mixed(const torch::Tensor& bits) {
  bits.bitwise_xor_(shifted(bits, 30)).mul_(as_signed(0xBF58476D1CE4E5B9ULL));
  bits.bitwise_xor_(shifted(bits, 27)).mul_(as_signed(0x94D049BB133111EBULL));
  return bits.bitwise_xor_(shifted(bits, 31));
}

}  // namespace

torch::Tensor keyed_uniforms(const torch::Tensor& keys, std::int64_t layer, std::int64_t values) {
  const torch::NoGradGuard no_grad;
  const auto moved = as_signed(static_cast<std::uint64_t>(layer + 1) * kStep);
  const auto columns = torch::arange(1, values + 1, keys.options()).mul_(as_signed(kStep));
  const auto bits = mixed(mixed(keys + moved).unsqueeze(1) + columns);
  return shifted(bits, 40).to(torch::kFloat32).mul_(0x1.0p-24);
}

torch::Tensor kept_scaled(const torch::Tensor& uniforms, const torch::Tensor& probabilities) {
  const torch::NoGradGuard no_grad;
  return uniforms.ge(probabilities).to(torch::kFloat32).div_(1 - probabilities);
}

}  // namespace facemae
