#pragma once
// The supply of a run whose pictures lie in memory.
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "cluster/world/world.h"
#include "data/order/order.h"
#include "trainer/config/run_config.h"
#include "trainer/step/step.h"

namespace facemae {

/// Faces of pictures that every rank holds whole, in the order of every run: the same global batches on any number of
/// ranks and at every resume. Mirrored where RunConfig::flip says so.
class PictureSupply final : public Supply {
 public:
  /// pictures [P, 3, H, W] uint8 with what tasks get as labels [P]; `side` as of picture_batch(). `world` must outlive
  /// this.
  PictureSupply(torch::Tensor pictures, std::vector<std::int64_t> labels, std::int64_t side,
                const RunConfig& config, World& world, std::uint64_t first_step);

  std::vector<Faces> next() override;
  LoaderFigures figures() override { return {}; }
  bool shard_failed() override { return false; }
  std::vector<Quarantined> quarantine_failed(std::uint64_t) override { return {}; }

 private:
  torch::Tensor pictures_;
  std::vector<std::int64_t> labels_;
  std::int64_t side_;
  std::uint64_t seed_;
  bool flip_;
  World& world_;
  Order order_;
  BatchPlan plan_;
  std::uint64_t step_;
  int micro_ = 0;
};

}  // namespace facemae
