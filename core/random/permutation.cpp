#include "core/random/permutation.h"

#include <bit>

#include "core/error.h"
#include "core/random/keys.h"

namespace facemae {

Permutation::Permutation(std::uint64_t n, std::uint64_t key) : n_(n), keys_{} {
  if (n == 0) throw Error("a permutation needs at least one element");
  const int bits = n == 1 ? 1 : std::bit_width(n - 1);
  half_bits_ = (bits + 1) / 2;
  half_mask_ = (1ULL << half_bits_) - 1;
  for (int round = 0; round < kRounds; ++round)
    keys_[round] = mix(key + 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(round + 1));
}

std::uint64_t Permutation::forward(std::uint64_t x) const noexcept {
  std::uint64_t left = x >> half_bits_, right = x & half_mask_;
  for (const std::uint64_t key : keys_) {
    const std::uint64_t next = left ^ (mix(right ^ key) & half_mask_);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

std::uint64_t Permutation::backward(std::uint64_t x) const noexcept {
  std::uint64_t left = x >> half_bits_, right = x & half_mask_;
  for (int round = kRounds - 1; round >= 0; --round) {
    const std::uint64_t before = right ^ (mix(left ^ keys_[round]) & half_mask_);
    right = left;
    left = before;
  }
  return (left << half_bits_) | right;
}

std::uint64_t Permutation::operator()(std::uint64_t i) const noexcept {
  do {
    i = forward(i);
  } while (i >= n_);
  return i;
}

std::uint64_t Permutation::inverse(std::uint64_t value) const noexcept {
  do {
    value = backward(value);
  } while (value >= n_);
  return value;
}

}  // namespace facemae
