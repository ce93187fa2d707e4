#pragma once
// A few training steps under --exact, on any communicator: what the tests of equal bits compare.
#include "tests/ranked/trainer/step/training_fixture.h"
#include "trainer/exact/exact_pretrain.h"
#include "trainer/exact/exact_recognize.h"
#include "trainer/exact/exact_step.h"
#include "trainer/step/instruction_set.h"

namespace facemae::trials {

struct ExactTrial {
  Trial trial;
  int slots = 4;
  bool center = false;
  std::string margin = "cosface";
  bool frozen_batch_norm = false;
  std::int64_t classes = 11, class_shards = 5;
  OptimizerConfig optimizer = {.kind = "sgd", .weight_decay = 0};
  double clip = 0;
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

inline std::unique_ptr<Task> make_exact_task(const ExactTrial& exact, Communicator& ranks) {
  const Trial& trial = exact.trial;
  if (trial.recognition) {
    auto network = make_network("iresnet-tiny");
    network->initialise(5);
    return std::make_unique<ExactRecognition>(
        network, ClassCentres(exact.classes, exact.class_shards, 5, ranks, torch::kCPU),
        RecognitionSettings{.margin = {.kind = exact.margin, .m = 0.2, .scale = 16},
                            .global_batch = trial.global_batch,
                            .frozen_batch_norm = exact.frozen_batch_norm,
                            .model_kind = "trial"},
        ranks, exact.slots);
  }
  PretrainSettings settings = settings_of(trial);
  settings.relation_center = exact.center;
  auto embedder = settings.relation == Relation::None ? nullptr : trial_embedder();
  return std::make_unique<ExactPretraining>(trial_model(), std::move(embedder), settings, ranks, exact.slots);
}

inline std::vector<Faces> slots_of(const ExactTrial& exact, const BatchPlan& plan, std::uint64_t step,
                                   int micro, int rank) {
  const Faces own = faces_of(exact.trial, plan, step, micro, rank);
  std::vector<Faces> slots;
  std::int64_t at = 0;
  for (const auto rows : plan.rows_of_slots(micro, rank)) {
    Faces slot = own;
    slot.images = own.images.narrow(0, at, rows).clone();
    slot.labels = own.labels.narrow(0, at, rows).remainder(exact.classes);
    slot.ordinals = {own.ordinals.begin() + at, own.ordinals.begin() + at + rows};
    slots.push_back(slot);
    at += rows;
  }
  return slots;
}

using Summing = void (*)(SlotGradients&, GradientBuckets&, Communicator&);
inline void in_the_tree(SlotGradients& slots, GradientBuckets&, Communicator&) { slots.sum(); }

inline ExactState train_exactly(const ExactTrial& exact, Communicator& in_graph, Communicator& reduction,
                                Summing sum = in_the_tree) {
  const Trial& trial = exact.trial;
  const BatchPlan plan{.global_batch = trial.global_batch,
                       .micro_batches = trial.micro_batches,
                       .world = in_graph.size(),
                       .slots = exact.slots};
  const auto task = make_exact_task(exact, in_graph);
  GradientBuckets buckets(task->parameters(), reduction, 4096, 512);
  SlotGradients slots(buckets, exact.slots, reduction);
  Optimizer optimizer(exact.optimizer, buckets, task->centres());
  ExactState result;
  auto centres = task->centres();
  for (std::uint64_t step = 0; step < static_cast<std::uint64_t>(trial.steps); ++step) {
    if (centres.defined()) centres.mutable_grad().zero_();
    task->begin_step(step);
    int micro = 0;
    accumulate_by_slot(*task, slots, trial.micro_batches,
                       [&] { return slots_of(exact, plan, step, micro++, in_graph.rank()); });
    sum(slots, buckets, reduction);
    auto loss = task->metrics().front().share.detach().clone();
    reduction.all_reduce(loss, Reduce::Sum).wait();
    result.losses.push_back(loss.item<float>());
    const auto norm = buckets.norm();
    result.gradient_norms.push_back(norm.item<double>());
    if (exact.clip > 0 && result.gradient_norms.back() > exact.clip) buckets.scale(exact.clip / norm);
    optimizer.step(trial.recognition ? 5e-4 : 0.02);
    task->end_step();
  }
  Snapshot snapshot;
  task->add_to(snapshot);
  const auto at = centres.defined() ? task->centres_at() : ClassTensor{};
  optimizer.add_to(snapshot, centres.defined() ? &at : nullptr);
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
