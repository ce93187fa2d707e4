#pragma once
// Recognition training under --exact: the network slot by slot, the softmax by virtual shards of the classes.
#include <memory>
#include <vector>

#include "cluster/tensors/tree_sum.h"
#include "model/recognition/shard_softmax.h"
#include "trainer/tasks/recognize.h"

namespace facemae {

class ExactRecognition final : public RecognitionTraining {
 public:
  /// On the CPU, in float32. `slots`: of a micro-batch over all ranks.
  ExactRecognition(std::shared_ptr<RecognitionNetwork> network, ClassCentres centres,
                   const RecognitionSettings& settings, Communicator& batch, int slots);

  void begin_step(std::uint64_t step) override;
  std::vector<torch::Tensor> slot_losses(const std::vector<Faces>& slots) override;
  void undo_step() override;
  void end_step() override;
  std::vector<Metric> metrics() override;

 private:
  void start_statistics_anew();
  TreeSum slots_;
  ShardSoftmax softmax_;
  std::vector<torch::Tensor> counters_;  ///< batches seen, of each norm
  std::vector<torch::Tensor> counters_before_;
  std::vector<torch::Tensor> after_slot_;  ///< own slots' running statistics, times their share of the rows
};

}  // namespace facemae
