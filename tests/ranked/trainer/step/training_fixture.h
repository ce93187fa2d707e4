#pragma once
// A few training steps on random faces, on any communicator: what the global-batch tests compare.
#include <torch/torch.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cluster/tensors/communicator.h"
#include "model/recognition/face_vit.h"
#include "model/recognition/ir.h"
#include "tests/relative.h"
#include "trainer/classes/class_optimizer.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"
#include "trainer/step/step.h"
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
  std::string blend = {};  ///< of 4 photos a picture
  bool code = false;       ///< of 2 photos a picture
  std::string linkage_weight = {};
  BucketConfig buckets = {.bytes = 4096, .first_bytes = 512};
  OptimizerConfig optimizer = {.kind = "sgd", .weight_decay = 0};
  double sample_rate = 1;                ///< of the classes
  std::string network = "iresnet-tiny";  ///< or vit-t or ir18, which stand for small ones
};

inline BatchPlan plan_of(const Trial& trial, int world, int slots = 0) {
  return {.global_batch = trial.global_batch,
          .micro_batches = trial.micro_batches,
          .world = world,
          .slots = slots,
          .together = trial.blend.empty() && !trial.code ? 1u : 4u};
}

/// Parameters' gradients of the first step and values after `steps` SGD steps at a constant rate.
struct Trained {
  std::map<std::string, torch::Tensor> gradients, initial, values;
  double loss = 0;  ///< of the first step, over all ranks
  double automatic_weight = 0;
};

inline FaceMae trial_model(std::uint64_t seed = 3, int code = 0) {
  FaceMae model(FaceMaeConfig{.image = 16,
                              .patch = 4,
                              .width = 24,
                              .depth = 2,
                              .heads = 3,
                              .decoder_width = 12,
                              .decoder_depth = 1,
                              .decoder_heads = 3,
                              .code = code});
  model->initialise(seed);
  return model;
}
inline std::unique_ptr<Embedder> trial_embedder() {
  return random_embedder({.size = 16, .width = 6, .redraw = 1, .seed = 9});
}

inline PretrainConfig pretrain_config_of(const Trial& trial) {
  PretrainConfig config;
  config.common.seed = 3;
  config.common.batch = trial.global_batch;
  config.common.accumulate = trial.micro_batches;
  config.relation = trial.relation;
  config.relation_batch = trial.relation_over_global_batch ? "global" : "micro";
  config.blend = trial.blend;
  if (!trial.blend.empty()) config.blend_images = 4;
  if (trial.code) {
    config.code = 5;
    config.blend_images = 2;
  }
  config.linkage_weight = trial.linkage_weight;
  if (trial.automatic_ratio) config.relation_weight = "auto:" + std::to_string(*trial.automatic_ratio);
  return config;
}
inline RecognizeConfig recognize_config_of(const Trial& trial) {
  RecognizeConfig config;
  config.common.batch = trial.global_batch;
  config.margin = "cosface";
  config.margin_m = 0.2;
  config.scale = 16;
  config.sample_rate = trial.sample_rate;
  config.network = trial.network;
  config.batch_norm = "frozen";
  return config;
}

inline std::unique_ptr<Task> make_task(const PretrainConfig& config, const Parts& parts,
                                       torch::Device device = torch::kCPU, std::uint64_t seed = 3,
                                       Precision precision = Precision::Float32) {
  auto model = trial_model(seed, config.code.value_or(0));
  model->to(device);
  auto embedder = config.relation == "none" ? nullptr : trial_embedder();
  if (embedder) embedder->to(device);
  return std::make_unique<Pretraining>(std::move(model), std::move(embedder), config, "trial", parts,
                                       precision, device);
}
inline std::shared_ptr<RecognitionNetwork> trial_network(const RecognizeConfig& config) {
  if (config.network == "vit-t")
    return std::make_shared<FaceVit>(FaceVitConfig{.width = 32, .depth = 2, .drop_path = 0.3},
                                     config.network_options());
  if (config.network == "ir18")
    return std::make_shared<IrNet>(IrConfig{{1, 1, 1, 1}, {8, 8, 16, 32}}, config.network_options());
  return make_network(config.network, config.network_options());
}
inline std::unique_ptr<Task> make_task(const RecognizeConfig& config, const Parts& parts,
                                       std::int64_t classes = 11, std::int64_t class_shards = 5,
                                       torch::Device device = torch::kCPU,
                                       Precision precision = Precision::Float32) {
  auto network = trial_network(config);
  network->initialise(5);
  network->to(device);
  return std::make_unique<RecognitionTraining>(
      network,
      ClassCentres(classes, class_shards, 5, parts.ranks(), device, torch::kFloat32, config.sample_rate),
      config, "trial", parts, precision, device);
}
inline std::unique_ptr<Task> make_task(const Trial& trial, const Parts& parts) {
  return trial.recognition ? make_task(recognize_config_of(trial), parts)
                           : make_task(pretrain_config_of(trial), parts);
}

/// The face of an ordinal: the same on every rank and world.
inline torch::Tensor face(std::uint64_t ordinal, int side) {
  torch::manual_seed(static_cast<std::int64_t>(1000 + ordinal));
  return torch::rand({3, side, side}) * 2 - 1;
}

inline std::int64_t trial_label(std::uint64_t ordinal) { return static_cast<std::int64_t>(ordinal * 7 % 11); }

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
    labels.push_back(trial_label(ordinal));
  }
  faces.images = torch::cat(images);
  faces.labels = torch::tensor(labels, torch::kInt64);
  return faces;
}

/// Micro-batches of one rank on its device, one step after the other.
class TrialFaces : public FaceSource {
 public:
  TrialFaces(const Trial& trial, const BatchPlan& plan, int rank, std::uint64_t first_step = 0,
             torch::Device device = torch::kCPU)
      : trial_(trial),
        plan_(plan),
        rank_(rank),
        device_(device),
        calls_(first_step * static_cast<std::uint64_t>(plan.micro_batches)) {}
  std::vector<Faces> next() override {
    const auto micro = static_cast<int>(calls_ % static_cast<std::uint64_t>(plan_.micro_batches));
    return parts_of(
        faces_of(trial_, plan_, calls_++ / static_cast<std::uint64_t>(plan_.micro_batches), micro, rank_));
  }
  std::vector<std::int64_t> prepare(int micro_batches) override {
    std::vector<std::int64_t> all;
    for (int rank = 0; rank < plan_.world; ++rank)
      for (int micro = 0; micro < micro_batches; ++micro)
        for (const auto ordinal :
             plan_.ordinals(calls_ / static_cast<std::uint64_t>(plan_.micro_batches), micro, rank))
          all.push_back(label_of(ordinal));
    return all;
  }

 protected:
  virtual std::vector<Faces> parts_of(Faces own) {
    own.images = own.images.to(device_);
    own.labels = own.labels.to(device_);
    return {std::move(own)};
  }
  virtual std::int64_t label_of(std::uint64_t ordinal) const { return trial_label(ordinal); }
  const Trial trial_;
  const BatchPlan plan_;
  const int rank_;

 private:
  const torch::Device device_;
  std::uint64_t calls_;
};

/// `in_graph` carries gathers and sums inside the loss, `reduction` the gradients.
inline Trained train(const Trial& trial, Communicator& in_graph, Communicator& reduction) {
  const BatchPlan plan = plan_of(trial, in_graph.size());
  const auto task = make_task(trial, Parts::of_ranks(in_graph));
  GradientBuckets buckets(task->parameters(), reduction, trial.buckets);
  Optimizer optimizer(trial.optimizer, buckets);
  ClassOptimizer class_optimizer({}, optimizer, task->classes().centres);
  TrialFaces faces(trial, plan, in_graph.rank());
  Step step(*task, faces, buckets, trial.micro_batches);
  Trained result;
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) result.initial[slot.name] = slot.value.detach().clone();
  for (int number = 0; number < trial.steps; ++number) {
    step.compute(static_cast<std::uint64_t>(number));
    if (number == 0) {
      for (const auto& bucket : buckets.buckets())
        for (const auto& slot : bucket.slots) result.gradients[slot.name] = slot.value.grad().clone();
      auto loss = task->metrics().front().share.detach().to(torch::kFloat64).clone();
      reduction.all_reduce(loss, Reduce::Sum).wait();
      result.loss = loss.item<double>();
    }
    const double rate = trial.recognition ? 5e-4 : 0.02;
    optimizer.step(rate);
    class_optimizer.step(rate, task->class_gradient());
    task->end(torch::zeros({}));
  }
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) result.values[slot.name] = slot.value.detach().clone();
  if (task->automatic_weight.defined()) result.automatic_weight = task->automatic_weight.item<double>();
  if (const Classes classes = task->classes(); classes.centres.defined()) {
    auto all =
        torch::zeros({11, classes.centres.size(1)});  // own rows among all, summed: every rank compares all
    all.narrow(0, classes.at.first, classes.centres.size(0)).copy_(classes.centres.detach());
    reduction.all_reduce(all, Reduce::Sum).wait();
    result.values["centres"] = all;
  }
  return result;
}

/// The largest relative distance of a gradient.
inline double worst_gradient(const Trained& a, const Trained& b) {
  double whole = 0, worst = 0;
  for (const auto& [name, gradient] : b.gradients) whole += gradient.pow(2).sum().item<double>();
  for (const auto& [name, gradient] : b.gradients)
    worst = std::max(worst, test::relative_distance(a.gradients.at(name), gradient, std::sqrt(whole)));
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
