#pragma once
// The shards of a release, each made by one rank and whole or not there at all.
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "cluster/host/topology.h"
#include "data/release/release.h"
#include "trainer/release/rebuild_release.h"
#include "trainer/release/rebuild_source.h"

namespace facemae {

/// What one rank has to do.
struct ShardShare {
  std::vector<std::uint64_t> todo;                              ///< shards
  std::uint64_t images = 0, finished = 0, finished_images = 0;  ///< of all its shards; of those that are done
};
/// Pure in what `done` says: every ranks-th shard, from `rank` on.
ShardShare share_of_shards(const ReleasePlan& plan, int rank, int ranks,
                           const std::function<bool(std::uint64_t shard)>& done);
/// The source rows of a shard, those of each picture together.
std::vector<std::uint64_t> rows_of_shard(const ReleasePlan& plan, std::uint64_t shard);

/// Rebuilds this rank's shards of the release in config.out; those that an earlier start finished are left
/// alone. Does not communicate. Throws DataError, FileError.
void rebuild_shards(const Topology& topology, torch::Device device, RebuildSource& source,
                    const ReconstructConfig& config, const ReleaseSecret& secret, const ReleasePlan& plan);

}  // namespace facemae
