#pragma once
// Writes and parses COMMIT, the one record whose presence makes a step exist. Its 4096 bytes are written by
// one sector or page.
#include <cstdint>
#include <string>

#include "checkpoint/format/manifest.h"

namespace facemae {

inline constexpr std::size_t kCommitBytes = 4096;

struct CommitRecord {
  CheckpointId id;
  std::uint64_t manifest_bytes = 0;
  Hash128 manifest_hash;  ///< XXH3-128 of MANIFEST.pb
  bool operator==(const CommitRecord&) const = default;
};

std::string serialise(const CommitRecord& record);
/// Throws CheckpointError for a wrong length, magic, version or CRC.
CommitRecord parse_commit(const std::string& bytes);

}  // namespace facemae
