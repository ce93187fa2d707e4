#include "model/common/tensor_digest.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/random/keys.h"

namespace facemae {
namespace {

/// Of 32 bits at most: the highest bits of a word of 64 have the same part in a sum whatever its factor.
torch::Tensor words_of(const torch::Tensor& value) {
  const auto flat = value.detach().contiguous().view({-1});
  switch (flat.element_size()) {
    case 8:
    case 4:
      return flat.view(torch::kInt32);
    case 2:
      return flat.view(torch::kInt16);
    default:
      return flat.view(torch::kUInt8);
  }
}

torch::Tensor odd_numbers(std::int64_t count, std::uint64_t key) {
  Draws draws(key);
  auto numbers = torch::empty({2, count}, torch::kInt64);
  auto* number = numbers.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < numbers.numel(); ++i) number[i] = static_cast<std::int64_t>(draws.next() | 1);
  return numbers;
}

}  // namespace

TensorDigest::TensorDigest(torch::Device device)
    : keys_(odd_numbers(kChunk, 1).to(device)), chunks_(odd_numbers(1, 2).flatten().to(device)) {}

torch::Tensor TensorDigest::of(const torch::Tensor& value) const {
  const torch::NoGradGuard no_grad;
  const auto words = words_of(value);
  auto sums = torch::zeros({2}, chunks_.options());
  for (std::int64_t at = 0; at < words.size(0); at += kChunk) {
    const std::int64_t count = std::min(kChunk, words.size(0) - at);
    const auto chunk = words.narrow(0, at, count).to(torch::kInt64);
    sums.mul_(chunks_).add_(keys_.narrow(1, 0, count).mul(chunk).sum(1));
  }
  return sums;
}

}  // namespace facemae
