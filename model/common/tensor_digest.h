#pragma once
// A digest of a tensor's bits that is computed where the tensor is, by plain tensor arithmetic, so that of weights and
// moments on a device only the digests travel.
#include <torch/types.h>

#include <cstdint>

namespace facemae {

/// Two sums over the words w_i of at most 32 bits of a tensor's memory, sum_i k_i w_i modulo 2^64, with fixed
/// pseudo-random odd k_i: the multilinear hash of Carter and Wegman (1979), as in Lemire and Kaser (2014, arXiv
/// 1202.4961). Integers add up to the same in any order, so the digest does not depend on how a device sums. A change
/// within one word is always seen, because k_i is odd. Changes of several words cancel in both sums with a chance of
/// about 2^-64: enough for errors of processors, memory and links, not against somebody who forges.
class TensorDigest {
 public:
  static constexpr std::int64_t kChunk = std::int64_t{1} << 20;  ///< words that are summed at once
  explicit TensorDigest(torch::Device device);
  /// int64 [2] on the device, for which the host does not wait.
  torch::Tensor of(const torch::Tensor& value) const;

 private:
  torch::Tensor keys_;    ///< [2, kChunk]: of the words of a chunk
  torch::Tensor chunks_;  ///< [2]: odd; their powers are factors of chunks
};

}  // namespace facemae
