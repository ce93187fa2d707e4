#pragma once
// Which classes a rank has: V virtual shards (contiguous class ranges) are the unit of ownership, of sampling and of
// exact sums. Rank r owns shards [rV/W, (r+1)V/W), so any world reads the same ranges.
#include <cstdint>

namespace facemae {

struct ClassRange {
  std::int64_t first = 0, count = 0;
};
/// The classes of one virtual shard: [v C / V, (v + 1) C / V).
ClassRange virtual_shard(std::int64_t classes, std::int64_t shards, std::int64_t v);
/// The virtual shards of one rank, as a range of their numbers. Throws ConfigError when V < W.
ClassRange shards_of_rank(std::int64_t shards, int rank, int world);
/// The classes of one rank. Throws ConfigError when V < W, or when there are no classes.
ClassRange classes_of_rank(std::int64_t classes, std::int64_t shards, int rank, int world);

}  // namespace facemae
