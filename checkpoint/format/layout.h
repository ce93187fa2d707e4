#pragma once
// Does the pure arithmetic of checkpoints: hash leaves fixed by meaning, who writes what, and the root hash.
// Free of LibTorch.
#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/format/manifest.h"

namespace facemae {

inline constexpr std::uint64_t kLeafBytes = 8u << 20;

/// Bytes of one element of a safetensors type ("F32" is 4); 0 for an unknown name.
std::uint64_t element_bytes(const std::string& dtype);
/// Bytes of the whole tensor. Throws CheckpointError for an unknown type, a negative size or an overflow.
std::uint64_t tensor_bytes(const ManifestTensor& tensor);

/// Rows of virtual shard v of V: [v C / V, (v + 1) C / V); of rank r of W: shards [r V / W, (r + 1) V / W).
struct RowRange {
  std::int64_t first = 0, count = 0;
  bool operator==(const RowRange&) const = default;
};
RowRange rows_of_shard(std::int64_t classes, std::int64_t shards, std::int64_t shard);
RowRange rows_of_rank(std::int64_t classes, std::int64_t shards, int rank, int world);

/// The hash leaves of a tensor, in order: fixed ranges of 8 MiB, and for class tensors those of each virtual
/// shard. They depend only on the tensor and the virtual shards, never on the world.
std::vector<ByteRange> leaves_of(const ManifestTensor& tensor, std::int64_t virtual_shards);

/// One piece that a rank writes; indices are the caller's.
struct PlannedPiece {
  std::size_t tensor = 0;
  ByteRange range;
  bool operator==(const PlannedPiece&) const = default;
};
/// Which rank writes which run of leaves of the replicated tensors: in order, each rank's total, with its
/// class rows, as equal as whole leaves and whole small tensors (up to 8 MiB) allow. Result [world].
std::vector<std::vector<PlannedPiece>> share_out(const std::vector<ManifestTensor>& replicated,
                                                 const std::vector<std::uint64_t>& class_bytes_of_rank);

/// XXH3-128 over the tensors in name order: name, kind, type, shape and leaf hashes of each, hashed per
/// tensor first. The same for any world and any division into pieces.
Hash128 root_hash(const std::vector<ManifestTensor>& tensors, std::int64_t virtual_shards);

}  // namespace facemae
