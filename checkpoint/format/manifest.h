#pragma once
// Describes what a checkpoint holds and where: MANIFEST.pb as plain values. Free of LibTorch.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/checksum.h"

namespace facemae {

/// A range of a tensor's bytes: of a hash leaf or a piece.
struct ByteRange {
  std::uint64_t begin = 0, bytes = 0;
  std::uint64_t end() const { return begin + bytes; }
  bool operator==(const ByteRange&) const = default;
};

/// A run of whole leaves of one tensor, somewhere in a file.
struct ManifestPiece {
  std::uint32_t file = 0;    ///< index into Manifest::files
  std::uint64_t offset = 0;  ///< from the start of the file
  ByteRange range;           ///< of the tensor's bytes
  std::vector<Hash128> leaves;
  bool operator==(const ManifestPiece&) const = default;
};
struct ManifestTensor {
  std::string name, dtype;  ///< dtype as safetensors writes it
  std::vector<std::int64_t> shape;
  bool by_class = false;
  std::vector<ManifestPiece> pieces;  ///< in order, without gaps
  bool operator==(const ManifestTensor&) const = default;
};
struct ManifestFile {
  std::string name;
  std::uint64_t bytes = 0, header_bytes = 0;
  Hash128 header_hash;
  bool operator==(const ManifestFile&) const = default;
};
struct CheckpointId {
  std::uint64_t step = 0;
  std::uint32_t start = 0;
  auto operator<=>(const CheckpointId&) const = default;  // NOLINT(modernize-use-nullptr): it sees a 0 within
};

struct Manifest {
  CheckpointId id;
  std::uint64_t samples = 0;
  int world = 0, threads = 0;
  std::string cpu;
  std::int64_t virtual_shards = 0;
  std::vector<ManifestTensor> tensors;  ///< sorted by name
  std::vector<ManifestFile> files;
  Hash128 root;
  std::string run_state, config, dataset_digest, model_hash;
  std::vector<std::pair<std::string, std::string>> software;  ///< name, version
  std::optional<CheckpointId> parent;
  std::optional<double> metric;  ///< figure of the model at this step; greater is better
  bool operator==(const Manifest&) const = default;

  const ManifestTensor* find(const std::string& name) const;
};

/// All tensors of a state with their global shapes, without pieces.
struct StateShape {
  std::vector<ManifestTensor> replicated, by_class;
};

/// What one rank wrote: its file, and its pieces of each tensor (file index 0).
struct RankReport {
  ManifestFile file;
  std::vector<ManifestTensor> tensors;
};

std::string serialise(const Manifest& manifest);
/// Throws CheckpointError when it does not parse, has another schema, or contradicts itself (pieces that do
/// not tile their tensor in whole leaves, or lie outside their file; a root that is not that of the leaves).
Manifest parse_manifest(const std::string& bytes);
std::string serialise(const RankReport& report);
RankReport parse_report(const std::string& bytes);  ///< throws CheckpointError

}  // namespace facemae
