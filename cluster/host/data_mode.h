#pragma once
// How ranks come by the shards: all from the shared store, or each node from copies on its own disk. Pure.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace facemae {

/// What one node has for copies, in bytes.
struct LocalDisk {
  std::string host;
  std::uint64_t free = 0;    ///< what an unprivileged process may still write
  std::uint64_t staged = 0;  ///< of this store's shards, there already
};

struct DataMode {
  std::string mode;    ///< shared or replica
  std::string reason;  ///< for the log
};

/// `wanted` is auto, shared or replica. Disks are one a node, empty without --local-dir. auto takes replica
/// when every node's disk holds what is still missing of `store_bytes` and keeps a twentieth of its free
/// space. Throws ConfigError when replica is wanted and cannot be.
DataMode choose_mode(const std::string& wanted, std::uint64_t store_bytes, std::span<const LocalDisk> disks);

/// The sequence in which a node copies the shards: all of them, and no two nodes begin with the same one
/// where there are enough.
std::vector<std::size_t> staging_sequence(std::size_t shards, int node, int nodes);

}  // namespace facemae
