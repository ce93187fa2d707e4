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
#include "trainer/run/replica_check.h"

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
  torch::Tensor centres() override { return centres_; }
  void begin_step(std::uint64_t step) override { step_ = step; }
  torch::Tensor loss_share(const Faces&) override {
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
  void undo_step() override { ++undone; }
  void end_step() override {
    ++ended;
    if (at_end) at_end();
  }
  std::vector<Metric> metrics() override { return {{"loss", torch::zeros({})}}; }
  void add_to(Snapshot& snapshot) override { snapshot.replicated.push_back({"model.weights", weights_}); }
  std::string kind() const override { return "drawn"; }

  torch::Tensor weights() const { return weights_.detach().clone(); }
  int undone = 0, ended = 0;
  std::function<void()> at_end;

 private:
  Communicator& ranks_;
  Fault fault_;
  torch::Tensor weights_ = torch::zeros({4}, torch::requires_grad());
  torch::Tensor centres_ = torch::ones({2}, torch::requires_grad());
  std::uint64_t step_ = 0;
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
    Optimizer optimizer({.kind = "sgd", .weight_decay = 0, .momentum = 0}, gradients, task.centres());
    Observer observer(run, {.log_every = log_every, .last_step = steps}, ranks, torch::kCPU, {});
    Watchdog watchdog({.on = false}, {}, real_files(), {});
    Snapshot snapshot;
    task.add_to(snapshot);
    const ReplicaCheck check(snapshot, control, replicas);
    snapshot.model_hash = "two numbers";
    Saver saver(folder / "checkpoints", control, real_files());
    std::uint64_t reached = 0, committed = 0;
    const auto describe = [&](Snapshot& at, std::uint64_t step) { begun.push_back(saved = at.step = step); };
    Saves saves(saver, snapshot, describe, {.every_steps = 4}, control.is_root(), 0, 0, committed);
    LoopParts parts{.task = task,
                    .next_faces = [] { return Faces{}; },
                    .data = [] { return LoaderFigures{}; },
                    .shard_failed = [] { return false; },
                    .quarantine = [](std::uint64_t) {},
                    .gradients = gradients,
                    .optimizer = optimizer,
                    .control = control,
                    .observer = observer,
                    .watchdog = watchdog,
                    .evaluate = [](std::uint64_t) {},
                    .check_replicas =
                        [&](std::uint64_t done, bool before_save) {
                          if (before_compare) before_compare(done);
                          if (check.due(done, before_save)) check.compare(done);
                        },
                    .saves = saves,
                    .out_of_time = out_of_time,
                    .reached = reached,
                    .schedule = {.kind = "constant", .peak = 0.1},
                    .state = state,
                    .max_skips = max_skips,
                    .stop_after = stop_after};
    end = train(parts, 0, steps);
    control.barrier(std::chrono::minutes(1));  // before the folder goes
    return task.weights();
  }

  Communicator& ranks;
  Control& control;
  int max_skips = 10;
  std::uint64_t replicas = 0, log_every = 1;          ///< how often replicas are compared
  std::function<void(std::uint64_t)> before_compare;  ///< may spoil some
  std::function<bool()> out_of_time = [] { return false; };
  RunState state;
  std::uint64_t saved = 0;           ///< the step of the last save that was begun
  std::vector<std::uint64_t> begun;  ///< of all
  std::optional<std::uint64_t> stop_after;
  LoopEnd end;
};

}  // namespace facemae::trials
