#pragma once
// Recognition training: a margin softmax over classes that are sharded over ranks.
#include <memory>

#include "cluster/tensors/communicator.h"
#include "model/recognition/class_shards.h"
#include "model/recognition/recognition.h"
#include "trainer/apply/pair_set.h"
#include "trainer/step/precision.h"
#include "trainer/step/task.h"

namespace facemae {

struct RecognitionSettings {
  Margin margin;
  std::uint64_t global_batch = 1;
  bool frozen_batch_norm = false;
  bool decay_all = true;  ///< weight decay on norms and biases too, as upstream
  std::string model_kind;
  std::vector<PairSet> evaluation;  ///< sets for evaluate()
};

class RecognitionTraining : public Task {
 public:
  RecognitionTraining(std::shared_ptr<RecognitionNetwork> network, ClassCentres centres,
                      const RecognitionSettings& settings, Communicator& batch, Precision precision,
                      torch::Device device);

  std::vector<Parameter> parameters() override;
  torch::Tensor centres() override { return centres_.weight(); }
  ClassTensor centres_at() override;
  std::int64_t virtual_shards() const override { return centres_.virtual_shards(); }
  void begin_step(std::uint64_t step) override;
  torch::Tensor loss_share(const Faces& faces) override;
  void undo_step() override;
  void end_step() override;
  std::vector<Metric> metrics() override;
  void add_to(Snapshot& snapshot) override;
  std::vector<Evaluated> evaluate(World& world) override;
  std::string kind() const override { return settings_.model_kind; }

 protected:
  torch::Tensor flat_statistics() const;           ///< all of them, one after the other: [values]
  void set_statistics(const torch::Tensor& flat);  ///< from the same
  std::shared_ptr<RecognitionNetwork> network_;
  ClassCentres centres_;
  RecognitionSettings settings_;
  Communicator& batch_;
  Precision precision_;
  torch::Device device_;
  std::vector<torch::Tensor> statistics_;  ///< running means and variances
  std::vector<torch::Tensor> before_;      ///< statistics before the step
  std::int64_t own_rows_ = 0;              ///< of the step
  torch::Tensor loss_, correct_;
};

}  // namespace facemae
