#pragma once
// The loop around a task of two numbers, of which single steps on single ranks can go wrong.
#include <torch/torch.h>

#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include "core/log.h"
#include "tests/temporary_folder.h"
#include "trainer/run/loop.h"
#include "trainer/watch/replica_check.h"

namespace facemae::trials {

enum class Poison { None, Gradient, Loss, Centres };
struct Fault {
  Poison poison = Poison::None;
  int rank = 0;
  std::set<std::uint64_t> steps;
};

/// Weights that are drawn to 3, and class centres of this rank's own that are drawn to 0.
class Drawn final : public Task {
 public:
  Drawn(Communicator& ranks, Fault fault) : ranks_(ranks), fault_(std::move(fault)) {}
  std::vector<Parameter> parameters() override { return {{"weights", weights_}}; }
  Classes classes() override { return {.centres = centres_}; }
  ClassGradient class_gradient() override { return {.rows = {}, .values = centres_.grad()}; }
  void begin(std::uint64_t step) override {
    step_ = step;
    centres_.mutable_grad().reset();
  }
  Pass forward(const Faces&) override { return {.loss = loss_share()}; }
  void end(const torch::Tensor& skipped) override {
    if (skipped.item<float>() > 0) {
      ++undone;
      return;
    }
    ++ended;
    if (at_end) at_end();
  }
  std::vector<Metric> metrics() override {
    return {{"loss", torch::zeros({}, torch::TensorOptions(ranks_.device()))}};
  }
  void state(Snapshot& snapshot) override { snapshot.replicated.push_back({"model.weights", weights_}); }
  std::string kind() const override { return "drawn"; }

  torch::Tensor weights() const { return weights_.detach().clone(); }
  int undone = 0, ended = 0;
  std::function<void()> at_end;

 private:
  torch::Tensor loss_share() {
    auto share = (weights_ - 3).pow(2).sum() / ranks_.size() + centres_.pow(2).sum();
    if (fault_.rank != ranks_.rank() || !fault_.steps.contains(step_)) return share;
    switch (fault_.poison) {
      case Poison::Gradient:
        return share + (weights_ * std::numeric_limits<float>::quiet_NaN()).sum();
      case Poison::Loss:  // its gradient is finite
        return share + std::numeric_limits<float>::infinity();
      case Poison::Centres:  // the loss and the weights' gradient are finite
        return share + (centres_ * 0).abs().sqrt().sum();
      case Poison::None:
        break;
    }
    return share;
  }

  Communicator& ranks_;
  Fault fault_;
  torch::Tensor weights_ = torch::zeros({4}, torch::requires_grad().device(ranks_.device()));
  torch::Tensor centres_ = torch::ones({2, 1}, torch::requires_grad().device(ranks_.device()));
  std::uint64_t step_ = 0;
};

/// Faces that nobody looks at.
class NoFaces final : public Supply {
 public:
  explicit NoFaces(std::function<void()>& before_vote) : before_vote_(before_vote) {}
  std::vector<Faces> next() override { return {Faces{}}; }
  LoaderFigures figures() override { return {}; }
  bool shard_failed() override {
    if (before_vote_) before_vote_();
    return false;
  }
  std::vector<Quarantined> quarantine_failed(std::uint64_t) override { return {}; }

 private:
  std::function<void()>& before_vote_;
};

struct LoopTrial {
  LoopTrial(Communicator& communicator, Control& over) : ranks(communicator), control(over) {
    spdlog::set_level(spdlog::level::off);
  }

  /// Trains `steps` steps; returns the weights.
  torch::Tensor train_on(Drawn& task, std::uint64_t steps) {
    const test::TemporaryFolder own;
    const Path folder = control.broadcast(own.path().string());  // rank 0's, for all
    RunFolder run(folder);
    GradientBuckets gradients(task.parameters(), ranks);
    Optimizer optimizer({.kind = "sgd", .weight_decay = 0, .momentum = 0}, gradients);
    ClassOptimizer class_optimizer({}, optimizer, task.classes().centres);
    Observer observer(run, {.log_every = log_every, .last_step = steps}, ranks, ranks.device(), {});
    Watchdog watchdog({.on = false}, {}, real_files(), {});
    Snapshot snapshot;
    task.state(snapshot);
    ReplicaCheck check(snapshot, control, replicas);
    snapshot.model_hash = "two numbers";
    Saver saver(folder / "checkpoints", control, real_files());
    std::uint64_t reached = 0;
    Outcome outcome;
    const auto describe = [&](Snapshot& at, std::uint64_t step) { begun.push_back(saved = at.step = step); };
    Saves saves(saver, snapshot, describe, {.every_steps = 4}, control.is_root(), 0, 0, outcome);
    saves.requests = &requests;
    NoFaces faces(before_vote);
    RunClock clock({}, {});
    end = train({.task = task,
                 .supply = faces,
                 .gradients = gradients,
                 .sums = gradients,
                 .optimizer = optimizer,
                 .class_optimizer = class_optimizer,
                 .control = control,
                 .watchdog = watchdog,
                 .observer = observer,
                 .saves = saves,
                 .replicas = check,
                 .clock = clock,
                 .requests = requests,
                 .state = state,
                 .reached = reached,
                 .late = late},
                {.max_skips = max_skips, .schedule = {.kind = "constant", .peak = 0.1}},
                {.first = 0, .last = steps, .stop_after = stop_after});
    control.barrier(std::chrono::minutes(1));  // before the folder goes
    return task.weights();
  }

  Communicator& ranks;
  Control& control;
  int max_skips = 10;
  bool late = false;                          ///< as on an accelerator
  std::uint64_t replicas = 0, log_every = 1;  ///< how often replicas are compared
  std::function<void()> before_vote;          ///< once a step, after the host's wait for it
  RequestWatch requests;
  RunState state;
  std::uint64_t saved = 0;           ///< the step of the last save that was begun
  std::vector<std::uint64_t> begun;  ///< of all
  std::optional<std::uint64_t> stop_after;
  LoopEnd end;
};

}  // namespace facemae::trials
