#pragma once
// Tells which shards of a store that is being copied together an earlier start has finished.
#include "data/store/shard_file.h"

namespace facemae {

/// True when `path` is the shard that `content` (of which the images are not looked at) belongs into, with as many
/// images as there are labels. One that lacks images is written again: they may be readable by now; so is a
/// damaged one. Throws FileError.
bool is_finished_shard(const Path& path, const ShardContent& content);

}  // namespace facemae
