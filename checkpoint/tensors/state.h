#pragma once
// Translates between live tensors and the manifest's description of them.
#include <vector>

#include "checkpoint/format/manifest.h"
#include "checkpoint/tensors/snapshot.h"

namespace facemae {

/// A snapshot's tensors in its order. Throws ConfigError listing all names that are empty, reserved or
/// duplicated, types that cannot be stored, and class rows that are not those of this rank's virtual shards.
StateShape shape_of(const Snapshot& snapshot, int rank, int world);

/// What must be the same on every rank, as one text.
std::string fingerprint(const Snapshot& snapshot, const StateShape& shape, std::uint32_t start);

/// The bytes that this rank holds of a class tensor.
ByteRange own_bytes(const ClassTensor& tensor);

/// Some of a tensor's bytes in C order: uint8 [range.bytes] on the CPU, sharing memory where it can.
torch::Tensor bytes_on_cpu(const torch::Tensor& value, ByteRange range);
inline Bytes bytes_of(const torch::Tensor& plain) {
  return {static_cast<const std::byte*>(plain.const_data_ptr()), plain.nbytes()};
}

/// No infinity and no NaN, on whatever device. Reads all of it, in pieces.
bool all_finite(const torch::Tensor& value);

/// The leaves within `range`, which must be whole leaves.
std::vector<ByteRange> leaves_within(const std::vector<ByteRange>& leaves, ByteRange range);
/// Hashes of `leaves` of the memory of `value`, whose first byte is byte `begin` of the whole tensor.
std::vector<Hash128> hash_memory(const torch::Tensor& value, std::uint64_t begin,
                                 const std::vector<ByteRange>& leaves);

}  // namespace facemae
