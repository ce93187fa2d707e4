#include "model/softmax/class_shards.h"

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

/// floor(a * b / c) without overflow for any number of classes.
std::int64_t share_of(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::int64_t>(static_cast<__int128>(a) * b / c);
}

}  // namespace

ClassRange virtual_shard(std::int64_t classes, std::int64_t shards, std::int64_t v) {
  const auto first = share_of(v, classes, shards);
  return {first, share_of(v + 1, classes, shards) - first};
}

ClassRange shards_of_rank(std::int64_t shards, int rank, int world) {
  if (shards < world)
    throw ConfigError(fmt::format(
        "sharding classes: {} virtual shards cannot be spread over {} ranks, each needs at least one; "
        "raise the number of virtual shards",
        shards, world));
  const auto first = share_of(rank, shards, world);
  return {first, share_of(rank + 1, shards, world) - first};
}

ClassRange classes_of_rank(std::int64_t classes, std::int64_t shards, int rank, int world) {
  if (classes < 1) throw ConfigError(fmt::format("sharding classes: there are {} of them", classes));
  const auto own = shards_of_rank(shards, rank, world);
  const auto first = share_of(own.first, classes, shards);
  return {first, share_of(own.first + own.count, classes, shards) - first};
}

}  // namespace facemae
