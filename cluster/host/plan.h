#pragma once
// The coordinator: which shards there are and how nodes read them, published as protobuf and agreed by all
// ranks.
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/host/control.h"

namespace facemae {

struct PlannedShard {
  std::string file;
  std::uint64_t images = 0, bytes = 0;
};
/// From `from_ordinal` on, no row of this shard is used.
struct PlannedQuarantine {
  std::size_t shard = 0;
  std::uint64_t from_ordinal = 0;
};
struct ShardPlan {
  std::uint32_t version = 1;
  std::string dataset_digest, mode = "shared";
  int nodes = 1;
  std::vector<PlannedShard> shards;
  std::vector<PlannedQuarantine> quarantine;
};

/// Pure: the first version, for shards in the order of the manifest.
ShardPlan plan_shards(std::vector<PlannedShard> shards, const std::string& dataset_digest, int nodes);
/// Pure: the plan with one more version, in which these shards are quarantined.
ShardPlan replan(ShardPlan plan, std::vector<PlannedQuarantine> quarantine);
std::string serialise(const ShardPlan& plan);    ///< deterministic protobuf bytes (cluster/host/plan.proto)
ShardPlan parse_plan(const std::string& bytes);  ///< throws DataError

/// Rank 0 sends its plan to all; every rank checks the hash of what it got against rank 0's and,
/// with `own` computed from its own reading of the manifest, against that. Throws DataError on all
/// ranks when one differs.
ShardPlan publish(const ShardPlan& own, Control& control);

}  // namespace facemae
