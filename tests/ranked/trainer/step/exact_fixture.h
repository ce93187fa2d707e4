#pragma once
// A few training steps under --exact, on any communicator: what the tests of equal bits compare.
#include "tests/ranked/trainer/step/training_fixture.h"
#include "trainer/step/instruction_set.h"
#include "trainer/step/slot_gradients.h"

namespace facemae::trials {

struct ExactTrial {
  Trial trial;
  int slots = 4;
  bool center = false;
  std::string margin = "cosface";
  std::string batch_norm = "local";
  std::int64_t classes = 11, class_shards = 5;
  OptimizerConfig optimizer = {.kind = "sgd", .weight_decay = 0, .fused = false};
  ClassUpdateConfig class_update = {};
  double clip = 0;
  std::string relation_weight = "1";
};

inline std::ostream& operator<<(std::ostream& out, const ExactTrial& exact) {
  return out << exact.trial.global_batch << " faces in " << exact.slots << " slots";
}

/// Everything that a checkpoint would hold after the steps, and the losses on the way.
struct ExactState {
  std::map<std::string, torch::Tensor> replicated;
  std::map<std::string, ClassTensor> by_class;
  std::vector<float> losses;
  std::vector<double> gradient_norms;
};

/// Own slots in turn, then what MPI makes of the ranks' sums: what --exact must not do.
class AllReducedSlots final : public GradientSums {
 public:
  AllReducedSlots(SlotGradients& slots, GradientBuckets& buckets, Communicator& ranks)
      : slots_(slots), buckets_(buckets), ranks_(ranks) {}
  void begin() override { slots_.begin(); }
  void collect(std::size_t slot) override { slots_.collect(slot); }
  void finish() override {
    std::vector<torch::Tensor> sums;
    for (const auto& bucket : buckets_.buckets()) {
      auto sum = torch::zeros_like(bucket.gradients);
      for (std::size_t own = 0; own < slots_.own(); ++own) {
        slots_.collect(own);
        for (const auto& slot : bucket.slots) Bucket::view(sum, slot).add_(slot.value.grad());
      }
      ranks_.all_reduce(sum, Reduce::Sum).wait();
      sums.push_back(sum);
    }
    slots_.finish();
    for (std::size_t b = 0; b < sums.size(); ++b) buckets_.buckets()[b].gradients.copy_(sums[b]);
  }
  double exposed_seconds() override { return 0; }

 private:
  SlotGradients& slots_;
  GradientBuckets& buckets_;
  Communicator& ranks_;
};

inline std::unique_ptr<Task> make_exact_task(const ExactTrial& exact, Communicator& ranks) {
  const Parts parts = Parts::of_slots(exact.slots, ranks);
  if (exact.trial.recognition) {
    auto config = recognize_config_of(exact.trial);
    config.margin = exact.margin;
    config.batch_norm = exact.batch_norm;
    return make_task(config, parts, exact.classes, exact.class_shards);
  }
  auto config = pretrain_config_of(exact.trial);
  config.relation_center = exact.center;
  config.relation_weight = exact.trial.automatic_ratio ? config.relation_weight : exact.relation_weight;
  return make_task(config, parts);
}

/// The slots of one rank.
class SlotFaces final : public TrialFaces {
 public:
  SlotFaces(const ExactTrial& exact, const BatchPlan& plan, int rank)
      : TrialFaces(exact.trial, plan, rank), classes_(exact.classes) {}

 private:
  std::int64_t label_of(std::uint64_t ordinal) const override { return trial_label(ordinal) % classes_; }
  std::vector<Faces> parts_of(Faces own) override {
    std::vector<Faces> slots;
    std::int64_t at = 0;
    for (const auto rows : plan_.rows_of_slots(own.micro, rank_)) {
      Faces slot = own;
      slot.part = slots.size();
      slot.images = own.images.narrow(0, at, rows).clone();
      slot.labels = own.labels.narrow(0, at, rows).remainder(classes_);
      slot.ordinals = {own.ordinals.begin() + at, own.ordinals.begin() + at + rows};
      slots.push_back(slot);
      at += rows;
    }
    return slots;
  }
  std::int64_t classes_;
};

inline ExactState train_exactly(const ExactTrial& exact, Communicator& in_graph, Communicator& reduction,
                                bool by_all_reduce = false) {
  const Trial& trial = exact.trial;
  const BatchPlan plan = plan_of(trial, in_graph.size(), exact.slots);
  const auto task = make_exact_task(exact, in_graph);
  GradientBuckets buckets(task->parameters(), reduction, {.bytes = 4096, .first_bytes = 512});
  SlotGradients slots(buckets, exact.slots, reduction);
  AllReducedSlots reduced(slots, buckets, reduction);
  GradientSums& sums = by_all_reduce ? static_cast<GradientSums&>(reduced) : slots;
  Optimizer optimizer(exact.optimizer, buckets);
  const Classes classes = task->classes();
  ClassOptimizer class_optimizer(exact.class_update, optimizer, classes.centres);
  SlotFaces faces(exact, plan, in_graph.rank());
  Step step(*task, faces, sums, trial.micro_batches);
  ExactState result;
  for (int number = 0; number < trial.steps; ++number) {
    step.compute(static_cast<std::uint64_t>(number));
    auto loss = task->metrics().front().share.detach().clone();
    reduction.all_reduce(loss, Reduce::Sum).wait();
    result.losses.push_back(loss.item<float>());
    const auto norm = buckets.norm();
    result.gradient_norms.push_back(norm.item<double>());
    if (exact.clip > 0 && result.gradient_norms.back() > exact.clip) buckets.scale(exact.clip / norm);
    const double rate = trial.recognition ? 5e-4 : 0.02;
    optimizer.step(rate);
    class_optimizer.step(rate, task->class_gradient());
    task->end(torch::zeros({}));
  }
  Snapshot snapshot;
  task->state(snapshot);
  optimizer.add_to(snapshot);
  class_optimizer.add_to(snapshot, classes.at);
  for (const auto& tensor : snapshot.replicated)
    result.replicated[tensor.name] = tensor.value.detach().clone();
  for (const auto& tensor : snapshot.by_class) {
    result.by_class[tensor.name] = tensor;
    result.by_class[tensor.name].rows = tensor.rows.detach().clone();
  }
  return result;
}

inline bool same_bits(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && a.nbytes() == b.nbytes() &&
         std::memcmp(a.contiguous().data_ptr(), b.contiguous().data_ptr(), a.nbytes()) == 0;
}

/// Names of the tensors whose bits differ; class rows are compared with the same rows of
/// `one`, which has all.
inline std::vector<std::string> differences(const ExactState& ranks, const ExactState& one) {
  std::vector<std::string> names;
  for (const auto& [name, value] : one.replicated)
    if (!same_bits(ranks.replicated.at(name), value)) names.push_back(name);
  for (const auto& [name, whole] : one.by_class) {
    const auto& own = ranks.by_class.at(name);
    if (!same_bits(own.rows, whole.rows.narrow(0, own.first, own.rows.size(0)))) names.push_back(name);
  }
  if (ranks.losses != one.losses) names.emplace_back("losses");
  if (ranks.gradient_norms != one.gradient_norms) names.emplace_back("gradient norms");
  return names;
}

}  // namespace facemae::trials
