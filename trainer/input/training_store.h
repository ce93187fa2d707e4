#pragma once
// The store of a run, opened and agreed on by all ranks: in which order its rows come, and from where.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/host/plan.h"
#include "cluster/world/world.h"
#include "core/random/secret.h"
#include "data/order/order.h"
#include "data/store/store.h"
#include "trainer/config/run_config.h"

namespace facemae {

struct TrainingStore {
  std::shared_ptr<const Store> store;
  RunConfig config;         ///< with the order settled
  std::string config_text;  ///< of it: what checkpoints keep
  Order order;
  BatchPlan batches;
  ShardPlan plan;                            ///< version 1; its mode is shared or replica
  Path replicas = {};                        ///< folder of the copies on this node's disk, in replica mode
  std::optional<SecretKey> people_key = {};  ///< what names are hashed with (data/store/people_key.h)
};

/// All ranks. `lost` are shards in quarantine, without which the store may be opened. Throws AgreedError:
/// whatever is wrong with the store on one rank, a batch that leaves ranks without rows, a plan or
/// configuration that differs between ranks, a data mode that cannot be had.
TrainingStore open_training_store(World& world, const RunConfig& config, const ConfigText& config_text,
                                  const std::vector<std::size_t>& lost);

}  // namespace facemae
