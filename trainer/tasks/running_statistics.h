#pragma once
// Running means and variances of batch norms, which forward passes move: what a step makes of them over all ranks.
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "model/recognition/recognition.h"
#include "trainer/step/coupling.h"

namespace facemae {

/// Where each rank computes its rows at once, its statistics move with every micro-batch, and the ranks' become their
/// mean at the end of the step. Where slots are computed alone, each moves the statistics that the step began with, and
/// the statistics become the mean of what the slots made of them. Means are weighted by rows.
class RunningStatistics {
 public:
  /// `parts` must outlive it. `frozen`: nothing moves them. The network is on its device; its statistics become views of
  /// one flat tensor.
  RunningStatistics(RecognitionNetwork& network, const Parts& parts, std::uint64_t global_batch, bool frozen);

  void begin();        ///< of a step
  void before_part();  ///< the coming forward pass is that of a part
  void after_part(std::size_t part, std::int64_t rows);
  /// All ranks: of a step. They are as before it where `skipped`, a scalar on their device, is 1.
  void end(const torch::Tensor& skipped);

 private:
  const Parts& parts_;
  double global_batch_;
  bool frozen_;
  torch::Tensor now_,
      before_;  ///< statistics of all norms [values]: now, of which the network's are views, and before the step
  std::vector<torch::Tensor> counters_, counters_before_;  ///< batches seen, of each norm
  std::int64_t own_rows_ = 0;                              ///< of the step
  std::vector<torch::Tensor> after_slot_;                  ///< statistics, times the slot's part of the rows
};

}  // namespace facemae
