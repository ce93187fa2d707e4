#pragma once
// A run's supply of faces on one rank: the loader, copies on the node's disk, and what all ranks do together
// about shards that cannot be read any more.
#include <memory>
#include <vector>

#include "cluster/host/plan.h"
#include "cluster/world/world.h"
#include "data/loader/loader.h"
#include "data/loader/replicas.h"
#include "trainer/input/training_store.h"
#include "trainer/step/faces.h"

namespace facemae {

class Feed {
 public:
  /// Of steps from `first_step` on. `quarantined` is what the checkpoint said. All ranks: with shards in
  /// quarantine a new version of the plan is published. `data` and `world` must outlive this.
  Feed(const TrainingStore& data, World& world, std::uint64_t first_step,
       const std::vector<Quarantined>& quarantined);

  Faces next();                     ///< this rank's next micro-batch
  std::vector<Faces> next_slots();  ///< the same for --exact: slot by slot
  LoaderFigures figures();          ///< since the last call

  /// True when a shard turned out unreadable on this rank and the ranks have not spoken about it yet.
  bool shard_failed();
  /// All ranks, when it is true on any: the shards are quarantined from `step` (not begun yet) on everywhere,
  /// and the plan has a new version. Returns all that are quarantined. Throws AgreedError (65) when they hold
  /// more of the images than --max-quarantined.
  std::vector<Quarantined> quarantine_failed(std::uint64_t step);

 private:
  void publish_quarantine();

  const TrainingStore& data_;
  World& world_;
  std::unique_ptr<std::pmr::memory_resource> pixel_memory_;  ///< null: anywhere
  Quarantine quarantine_;
  ShardPlan plan_;
  Loader loader_;
  std::unique_ptr<Replicas> replicas_;  ///< in replica mode
  std::unique_ptr<ByteBatch> bytes_;
  std::vector<ShardFailure> failed_;
};

}  // namespace facemae
