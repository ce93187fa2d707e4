#pragma once
// A run's supply of faces on one rank: the loader, copies on the node's disk, and what all ranks do together
// about shards that cannot be read any more.
#include <deque>
#include <memory>
#include <vector>

#include "cluster/host/plan.h"
#include "cluster/world/world.h"
#include "data/loader/replicas.h"
#include "trainer/input/training_store.h"
#include "trainer/input/transfer.h"
#include "trainer/step/step.h"

namespace facemae {

class Feed final : public Supply {
 public:
  /// Of steps from `first_step` on. `quarantined` is what the checkpoint said, `needs` what the task reads. All ranks:
  /// with shards in quarantine a new version of the plan is published. `data` and `world` must outlive this.
  Feed(const TrainingStore& data, World& world, std::uint64_t first_step,
       const std::vector<Quarantined>& quarantined, const FaceNeeds& needs = {});
  /// With a stream of its own to copy by; null: batches are made where their bytes are.
  Feed(const TrainingStore& data, World& world, std::uint64_t first_step,
       const std::vector<Quarantined>& quarantined, const FaceNeeds& needs, std::shared_ptr<SideStream> side);

  std::vector<Faces> next() override;
  std::vector<std::int64_t> prepare(int micro_batches) override;
  LoaderFigures figures() override;
  bool shard_failed() override;
  std::vector<Quarantined> quarantine_failed(std::uint64_t step) override;

 private:
  Faces next_on_device();
  std::unique_ptr<ByteBatch> read(std::unique_ptr<ByteBatch> recycle);
  void publish_quarantine();

  const TrainingStore& data_;
  World& world_;
  std::shared_ptr<SideStream> side_;                         ///< null on CPUs
  std::unique_ptr<std::pmr::memory_resource> pixel_memory_;  ///< null: anywhere
  Quarantine quarantine_;
  ShardPlan plan_;
  Loader loader_;
  std::unique_ptr<Replicas> replicas_;  ///< in replica mode
  FaceNeeds needs_;
  std::deque<std::unique_ptr<ByteBatch>> prepared_;  ///< of the step that begins, not asked for yet
  std::vector<std::unique_ptr<ByteBatch>> spare_;    ///< on CPUs, to be filled again
  std::unique_ptr<Transfer> transfer_;               ///< elsewhere
  std::vector<ShardFailure> failed_;
};

}  // namespace facemae
