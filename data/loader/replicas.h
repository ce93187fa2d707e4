#pragma once
// Copies of a store's shards on a node's own disk: made in the background by one process of the node while
// training runs, and taken into use by each of its processes as they land.
#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/files/files.h"

namespace facemae {

struct ReplicaPlan {
  Path folder;                           ///< of the copies, on the node's disk
  std::vector<std::string> files;        ///< of each shard, within the folder
  std::vector<std::size_t> sequence;     ///< in which shards are copied
  std::chrono::milliseconds look{2000};  ///< how often a process that does not copy looks for new files
  /// Was a file under its final name found good by whoever copied it?
  std::function<bool(const Path& file)> whole = [](const Path& file) {
    return std::filesystem::exists(file);
  };
};

/// One thread. Stops between shards, or where `copy` heeds its token; the copies stay for the next start.
/// Disks that fill up and shards that cannot be copied are logged and left to the shared store: training does
/// not depend on this.
class Replicas {
 public:
  /// Makes the file of a shard in the plan's folder, whole and checked or not at all. Throws DataError when
  /// the shard is damaged, FileError when the disk does not take it.
  using Copy = std::function<void(std::size_t shard, const std::stop_token&)>;
  /// Reads the shard from this file from now on. Called from the thread of this object.
  using Use = std::function<void(std::size_t shard, const Path& file)>;

  /// Without `copy` another process of the node copies, and files are used once they are whole. So
  /// does an object with `copy` while another job of the node holds the folder's lock; it copies the
  /// rest when that one ends.
  Replicas(ReplicaPlan plan, Copy copy, Use use);

 private:
  void run(const std::stop_token& stop);
  void copy_all(const std::vector<std::size_t>& missing, const std::stop_token& stop);
  bool take(std::size_t shard);

  ReplicaPlan plan_;
  Copy copy_;
  Use use_;
  std::jthread thread_;  ///< last: it uses what stands above
};

}  // namespace facemae
