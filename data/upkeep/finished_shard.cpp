#include "data/upkeep/finished_shard.h"

#include "core/error.h"

namespace facemae {

bool is_finished_shard(const Path& path, const ShardContent& content) {
  if (!std::filesystem::exists(path)) return false;
  try {
    const ShardIndex index = read_shard(path);
    return index.uuid == content.uuid && index.shard == content.shard && index.shards == content.shards &&
           index.info.images == content.labels.size();
  } catch (const DataError&) {
    return false;
  }
}

}  // namespace facemae
