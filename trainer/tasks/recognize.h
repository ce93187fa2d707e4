#pragma once
// Recognition training: a margin softmax over classes that are sharded over ranks.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/recognition/recognition.h"
#include "model/softmax/class_centres.h"
#include "model/softmax/margin_state.h"
#include "model/softmax/shard_softmax.h"
#include "model/softmax/softmax_config.h"
#include "trainer/apply/pair_set.h"
#include "trainer/config/decay.h"
#include "trainer/config/run_config.h"
#include "trainer/step/precision.h"
#include "trainer/step/task.h"
#include "trainer/tasks/recognition_draws.h"
#include "trainer/tasks/running_statistics.h"

namespace facemae {

class RecognitionTraining final : public Task, public Evaluator {
 public:
  /// Of `config` what is of the step (batch, margin, batch norm), and the sets to evaluate. `kind` names the model in
  /// checkpoints.
  RecognitionTraining(std::shared_ptr<RecognitionNetwork> network, ClassCentres centres,
                      const RecognizeConfig& config, std::string kind, Parts parts, Precision precision,
                      torch::Device device);
  RecognitionTraining(const RecognitionTraining&) = delete;
  RecognitionTraining& operator=(const RecognitionTraining&) = delete;

  std::vector<Parameter> parameters() override;
  Classes classes() override;
  ClassGradient class_gradient() override {
    return {.rows = centres_.active().rows, .values = centres_.gradient()};
  }
  FaceNeeds needs() const override;
  void begin(std::uint64_t step) override;
  void know(std::uint64_t step, std::vector<std::int64_t> labels) override;
  Pass forward(const Faces& faces) override;
  Coupled couple(const Group& group) override;
  void end(const torch::Tensor& skipped) override;
  std::vector<Metric> metrics() override;
  void state(Snapshot& snapshot) override;
  std::string kind() const override { return kind_; }
  void open_sets(World& world, const torch::Tensor& trained_on, bool begun) override;
  std::vector<Evaluated> evaluate(World& world) override;

 private:
  std::shared_ptr<RecognitionNetwork> network_;
  ClassCentres centres_;
  SoftmaxConfig softmax_;
  MarginState margin_state_;
  bool draws_margins_;
  RecognitionDraws draws_;
  double global_batch_;
  bool frozen_;
  Decay decay_;
  std::string kind_;
  Parts parts_;
  Precision precision_;
  torch::Device device_;
  std::vector<PairSource> sources_;
  std::vector<PairSet> sets_;
  RunningStatistics statistics_;
  std::optional<ShardSoftmax> by_shards_;  ///< of --exact
  torch::Tensor loss_, correct_;           ///< figures of the step
};

/// Of the options --eval, --eval-store and --eval-images: names that end in .bin are packs.
std::vector<PairSource> pair_sources(const RecognizeConfig& config);

/// Of --scale and the options that begin with --margin.
Margin margin_of(const RecognizeConfig& config);
/// Of these and --class-filter, --logit-mib and --logit-precision on a device.
SoftmaxConfig softmax_of(const RecognizeConfig& config, Precision precision, torch::Device device);

}  // namespace facemae
