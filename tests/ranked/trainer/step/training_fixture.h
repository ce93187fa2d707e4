#pragma once
// A few training steps on random faces, on any communicator: what the global-batch tests compare.
#include <torch/torch.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cluster/tensors/communicator.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"
#include "trainer/tasks/pretrain.h"
#include "trainer/tasks/recognize.h"

namespace facemae::trials {

struct Trial {
  std::string relation = "none";
  bool recognition = false;
  std::uint64_t global_batch = 10;
  int micro_batches = 1;
  bool relation_over_global_batch = false;
  int steps = 3;
  std::optional<double> automatic_ratio = {};
};

/// Parameters' gradients of the first step and values after `steps` SGD steps at a constant rate.
struct Trained {
  std::map<std::string, torch::Tensor> gradients, initial, values;
  double loss = 0;  ///< of the first step, over all ranks
  double automatic_weight = 0;
};

inline FaceMae trial_model() {
  FaceMae model(FaceMaeConfig{.image = 16,
                              .patch = 4,
                              .width = 24,
                              .depth = 2,
                              .heads = 3,
                              .decoder_width = 12,
                              .decoder_depth = 1,
                              .decoder_heads = 3});
  model->initialise(3);
  return model;
}
inline std::unique_ptr<Embedder> trial_embedder() {
  return random_embedder({.size = 16, .width = 6, .redraw = 1, .seed = 9});
}

inline PretrainSettings settings_of(const Trial& trial) {
  PretrainSettings settings;
  settings.relation = relation_from(trial.relation);
  settings.relation_over_global_batch = trial.relation_over_global_batch;
  settings.automatic_ratio = trial.automatic_ratio;
  settings.relation_weight = trial.automatic_ratio ? 0 : 1;
  settings.seed = 3;
  settings.global_batch = trial.global_batch;
  settings.model_kind = "trial";
  return settings;
}

inline std::unique_ptr<Task> make_task(const Trial& trial, Communicator& ranks) {
  if (trial.recognition) {
    auto network = make_network("iresnet-tiny");
    network->initialise(5);
    return std::make_unique<RecognitionTraining>(
        network, ClassCentres(11, 5, 5, ranks, torch::kCPU),
        RecognitionSettings{.margin = {.kind = "cosface", .m = 0.2, .scale = 16},
                            .global_batch = trial.global_batch,
                            .frozen_batch_norm = true,
                            .model_kind = "trial"},
        ranks, Precision::Float32, torch::kCPU);
  }
  const Relation relation = relation_from(trial.relation);
  auto embedder = relation == Relation::None ? nullptr : trial_embedder();
  const PretrainSettings settings = settings_of(trial);
  return std::make_unique<Pretraining>(trial_model(), std::move(embedder), settings, ranks,
                                       Precision::Float32, torch::kCPU);
}

/// The face of an ordinal: the same on every rank and world.
inline torch::Tensor face(std::uint64_t ordinal, int side) {
  torch::manual_seed(static_cast<std::int64_t>(1000 + ordinal));
  return torch::rand({3, side, side}) * 2 - 1;
}

inline Faces faces_of(const Trial& trial, const BatchPlan& plan, std::uint64_t step, int micro, int rank) {
  const int side = trial.recognition ? 112 : 16;
  Faces faces;
  faces.ordinals = plan.ordinals(step, micro, rank);
  faces.rows_of_rank = plan.rows_of_rank(micro);
  faces.step = step;
  faces.micro = micro;
  std::vector<torch::Tensor> images{torch::empty({0, 3, side, side})};
  std::vector<std::int64_t> labels;
  for (const auto ordinal : faces.ordinals) {
    images.push_back(face(ordinal, side).unsqueeze(0));
    labels.push_back(static_cast<std::int64_t>(ordinal * 7 % 11));
  }
  faces.images = torch::cat(images);
  faces.labels = torch::tensor(labels, torch::kInt64);
  return faces;
}

/// `in_graph` carries gathers and sums inside the loss, `reduction` the gradients.
inline Trained train(const Trial& trial, Communicator& in_graph, Communicator& reduction) {
  const BatchPlan plan{
      .global_batch = trial.global_batch, .micro_batches = trial.micro_batches, .world = in_graph.size()};
  const auto task = make_task(trial, in_graph);
  GradientBuckets buckets(task->parameters(), reduction, 4096, 512);
  Optimizer optimizer({.kind = "sgd", .weight_decay = 0}, buckets, task->centres());
  Trained result;
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) result.initial[slot.name] = slot.value.detach().clone();
  auto centres = task->centres();
  for (int step = 0; step < trial.steps; ++step) {
    const auto number = static_cast<std::uint64_t>(step);
    buckets.zero();
    if (centres.defined()) centres.mutable_grad().zero_();
    task->begin_step(number);
    if (task->two_passes()) {
      for (int micro = 0; micro < trial.micro_batches; ++micro)
        task->observe(faces_of(trial, plan, number, micro, in_graph.rank()));
      task->observed_all();
    }
    for (int micro = 0; micro < trial.micro_batches; ++micro) {
      const auto share = task->loss_share(faces_of(trial, plan, number, micro, in_graph.rank()));
      if (micro + 1 == trial.micro_batches) buckets.reduce_next();
      share.backward();
    }
    buckets.wait();
    if (step == 0) {
      for (const auto& bucket : buckets.buckets())
        for (const auto& slot : bucket.slots) result.gradients[slot.name] = slot.value.grad().clone();
      auto loss = task->metrics().front().share.detach().to(torch::kFloat64).clone();
      reduction.all_reduce(loss, Reduce::Sum).wait();
      result.loss = loss.item<double>();
    }
    optimizer.step(trial.recognition ? 5e-4 : 0.02);
    task->end_step();
  }
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) result.values[slot.name] = slot.value.detach().clone();
  result.automatic_weight = task->automatic_weight();
  if (centres.defined()) {  // own rows among all, summed: every rank compares all centres
    auto all = torch::zeros({11, centres.size(1)});
    const auto at = task->centres_at();
    all.narrow(0, at.first, centres.size(0)).copy_(centres.detach());
    reduction.all_reduce(all, Reduce::Sum).wait();
    result.values["centres"] = all;
  }
  return result;
}

/// Largest per-tensor |a - b| / (|b| + 1e-7 |whole|) of the gradients.
inline double worst_gradient(const Trained& a, const Trained& b) {
  double whole = 0, worst = 0;
  for (const auto& [name, gradient] : b.gradients) whole += gradient.pow(2).sum().item<double>();
  for (const auto& [name, gradient] : b.gradients) {
    const double difference = (a.gradients.at(name) - gradient).to(torch::kFloat64).norm().item<double>();
    worst = std::max(
        worst, difference / (gradient.to(torch::kFloat64).norm().item<double>() + 1e-7 * std::sqrt(whole)));
  }
  return worst;
}

/// Largest change that `after` made to any value of `before`.
inline double largest_difference(const std::map<std::string, torch::Tensor>& after,
                                 const std::map<std::string, torch::Tensor>& before) {
  double largest = 0;
  for (const auto& [name, value] : before)
    largest = std::max(largest, (after.at(name) - value).abs().max().item<double>());
  return largest;
}

inline double worst_value(const Trained& a, const Trained& b) {
  return largest_difference(a.values, b.values);
}

}  // namespace facemae::trials
