#pragma once
// What an unfinished pack has done: one JSON line for the settings and one per finished shard, each fsynced.
// A torn last line, as a crash leaves it, is dropped.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/files.h"
#include "data/store.h"

namespace facemae {

struct Reject {
  std::string source, reason;
};

class Journal {
 public:
  struct Shard {
    ShardInfo info;
    std::vector<Reject> rejects;
  };
  /// Reads FOLDER/pack.journal or begins it. Throws ConfigError when it was begun with other settings, or
  /// when shards lie there that no journal knows.
  Journal(FileSystem& files, const Path& folder, const std::string& settings);
  const std::map<std::uint64_t, Shard>& shards() const noexcept { return shards_; }
  void add(std::uint64_t shard, const Shard& done);
  static void remove(FileSystem& files, const Path& folder);

 private:
  FileSystem& files_;
  Path path_;
  std::map<std::uint64_t, Shard> shards_;
};

}  // namespace facemae
