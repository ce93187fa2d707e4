#pragma once
// Copies a store's shards to a node's own disk: one process of the node makes the copies in the background
// while training runs, and each process of the node reads from them as they arrive.
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
  std::vector<std::size_t> sequence;     ///< the order in which shards are copied
  std::chrono::milliseconds look{2000};  ///< how often a process that does not copy looks for new files
  /// Has whoever copied a file checked it under its final name?
  std::function<bool(const Path& file)> whole = [](const Path& file) {
    return std::filesystem::exists(file);
  };
};

/// Uses one thread. Stops between shards, or where `copy` heeds its token; the copies remain for the next
/// start. A disk that fills up, or a shard that cannot be copied, is logged and the shared store is read
/// instead: training does not depend on the copies.
class Replicas {
 public:
  /// Makes the file of a shard in the plan's folder, complete and checked or not at all. Throws DataError
  /// when the shard is damaged, FileError when the disk does not take it.
  using Copy = std::function<void(std::size_t shard, const std::stop_token&)>;
  /// Reads the shard from this file from now on. Called on the thread of this object.
  using Use = std::function<void(std::size_t shard, const Path& file)>;

  /// Without `copy`, another process of the node makes the copies, and files are used once they are complete.
  /// The same holds with `copy` while another job of the node holds the folder's lock; when that job ends,
  /// this object copies the rest.
  Replicas(ReplicaPlan plan, Copy copy, Use use);

 private:
  void run(const std::stop_token& stop);
  void copy_all(const std::vector<std::size_t>& missing, const std::stop_token& stop);
  bool take(std::size_t shard);

  ReplicaPlan plan_;
  Copy copy_;
  Use use_;
  std::jthread thread_;  ///< last: it uses everything above
};

}  // namespace facemae
