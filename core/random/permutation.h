#pragma once
// Provides a keyed permutation of 0..n-1 in O(1) memory: a Feistel network on the next even power of two,
// walked until it lands inside (Black and Rogaway 2002, "cycle walking").
#include <cstdint>

namespace facemae {

class Permutation {
 public:
  /// n >= 1 elements; equal (n, key) give equal permutations everywhere.
  Permutation(std::uint64_t n, std::uint64_t key);
  std::uint64_t size() const noexcept { return n_; }
  /// Where index i < n is mapped.
  std::uint64_t operator()(std::uint64_t i) const noexcept;
  /// Which index is mapped to `value` < n.
  std::uint64_t inverse(std::uint64_t value) const noexcept;

 private:
  static constexpr int kRounds = 6;
  std::uint64_t forward(std::uint64_t x) const noexcept;
  std::uint64_t backward(std::uint64_t x) const noexcept;

  std::uint64_t n_;
  int half_bits_;
  std::uint64_t half_mask_;
  std::uint64_t keys_[kRounds];
};

}  // namespace facemae
