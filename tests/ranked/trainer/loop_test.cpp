// The loop with a task of two numbers, of which single steps on single ranks go wrong.
#include "trainer/loop.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>
#include <set>

#include "cluster/agree.h"
#include "cluster/mpi_communicator.h"
#include "cluster/mpi_control.h"
#include "core/log.h"
#include "tests/temporary_folder.h"
#include "trainer/replica_check.h"

namespace facemae {
namespace {

using std::chrono::minutes;

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
  void end_step() override { ++ended; }
  std::vector<Metric> metrics() override { return {{"loss", torch::zeros({})}}; }
  void add_to(Snapshot& snapshot) override { snapshot.replicated.push_back({"model.weights", weights_}); }
  std::string kind() const override { return "drawn"; }

  torch::Tensor weights() const { return weights_.detach().clone(); }
  int undone = 0, ended = 0;

 private:
  Communicator& ranks_;
  Fault fault_;
  torch::Tensor weights_ = torch::zeros({4}, torch::requires_grad());
  torch::Tensor centres_ = torch::ones({2}, torch::requires_grad());
  std::uint64_t step_ = 0;
};

struct Loop : testing::Test {
  Loop() { spdlog::set_level(spdlog::level::off); }

  /// Trains `steps` steps; returns the weights. `replicas`: how often to compare; `before_compare` may spoil
  /// some.
  torch::Tensor train_on(Drawn& task, std::uint64_t steps, int max_skips = 10, std::uint64_t replicas = 0,
                         const std::function<void(std::uint64_t)>& before_compare = {}) {
    const test::TemporaryFolder own;
    const Path folder = control.broadcast(own.path().string());  // rank 0's, for all
    RunFolder run(folder);
    GradientBuckets gradients(task.parameters(), ranks);
    Optimizer optimizer({.kind = "sgd", .weight_decay = 0, .momentum = 0}, gradients, task.centres());
    Observer observer(run, {.log_every = 1, .last_step = steps}, ranks, torch::kCPU, {});
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
                    .out_of_time = [] { return false; },
                    .reached = reached,
                    .schedule = {.kind = "constant", .peak = 0.1},
                    .state = state,
                    .max_skips = max_skips,
                    .stop_after = stop_after};
    end = train(parts, 0, steps);
    control.barrier(minutes(1));  // before the folder goes
    return task.weights();
  }

  MpiControl control{minutes(1)};
  MpiCommunicator ranks{"ranks", minutes(1)};
  RunState state;
  std::uint64_t saved = 0;           ///< the step of the last save that was begun
  std::vector<std::uint64_t> begun;  ///< of all
  std::optional<std::uint64_t> stop_after;
  LoopEnd end;
};

TEST_F(Loop, SkipsOnAllRanksAStepThatIsNotFiniteOnOne) {
  Drawn sound(ranks, {});
  const auto four_steps = train_on(sound, 4);
  EXPECT_GT(four_steps.min().item<double>(), 1);
  for (const Poison poison : {Poison::Gradient, Poison::Loss, Poison::Centres}) {
    SCOPED_TRACE(static_cast<int>(poison));
    state = {};
    Drawn task(ranks, {.poison = poison, .rank = control.size() - 1, .steps = {2}});
    const auto weights = train_on(task, 5);
    EXPECT_TRUE(weights.equal(four_steps)) << weights;
    EXPECT_EQ(state.skipped, 1u);
    EXPECT_EQ(state.skipped_in_row, 0u);
    EXPECT_EQ(task.undone, 1);
    EXPECT_EQ(task.ended, 4);
    EXPECT_TRUE(torch::isfinite(task.centres()).all().item<bool>());
  }
}

TEST_F(Loop, EndsOnAllRanksAfterTooManySkipsInARow) {
  Drawn task(ranks, {.poison = Poison::Gradient, .rank = 0, .steps = {1, 4, 5, 6, 7}});
  try {
    train_on(task, 20, /*max_skips=*/3);
    FAIL() << "it went on";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::DoNotRequeue);
    EXPECT_EQ(error.kind(), "Diverged");
    EXPECT_NE(
        std::string(error.what()).find("step 8: the loss or its gradient was not finite 4 times in a row"),
        std::string::npos)
        << error.what();
  }
  EXPECT_EQ(state.skipped, 5u);
  EXPECT_EQ(saved, 4u) << "nothing after that is saved";
}

TEST_F(Loop, ASaveThatIsDueWaitsForAStepThatWasNotSkipped) {
  Drawn task(ranks, {.poison = Poison::Loss, .rank = 0, .steps = {3, 4}});
  train_on(task, 7);
  EXPECT_EQ(begun, (std::vector<std::uint64_t>{6, 7}))
      << "due after 4 steps, of which the fourth was skipped";
  EXPECT_EQ(end.reason, "all steps done");
}

TEST_F(Loop, ARunWhoseLastStepsWereSkippedHasNoGoodEnd) {
  for (const std::set<std::uint64_t>& steps : {std::set<std::uint64_t>{5}, {0, 1, 2, 3, 4, 5}}) {
    Drawn task(ranks, {.poison = Poison::Centres, .rank = control.size() - 1, .steps = steps});
    state = {};
    begun = {};
    try {
      train_on(task, 6);
      FAIL() << "it ended well";
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::DoNotRequeue);
      EXPECT_EQ(error.kind(), "Diverged");
      EXPECT_NE(std::string(error.what()).find("up to step 6"), std::string::npos) << error.what();
    }
    EXPECT_EQ(begun, (steps.size() == 1 ? std::vector<std::uint64_t>{4} : std::vector<std::uint64_t>{}));
  }
}

TEST_F(Loop, StoppedAmongSkippedStepsItLeavesTheCheckpointBefore) {
  stop_after = 7;
  Drawn task(ranks, {.poison = Poison::Gradient, .rank = 0, .steps = {5, 6}});
  train_on(task, 20);
  EXPECT_TRUE(end.stopped);
  EXPECT_NE(end.reason.find("the checkpoint of step 4 stands"), std::string::npos) << end.reason;
  EXPECT_EQ(begun, std::vector<std::uint64_t>{4});
  state = {};
  stop_after = 2;
  Drawn hopeless(ranks, {.poison = Poison::Gradient, .rank = 0, .steps = {0, 1}});
  EXPECT_THROW(train_on(hopeless, 20), AgreedError) << "76 promises a checkpoint";
}

TEST_F(Loop, NamesTheRankWhoseWeightsDifferAndDoesNotSaveThem) {
  const int size = control.size(), bad = size - 1;
  Drawn task(ranks, {});
  const auto spoil = [&](std::uint64_t done) {
    if (done != 4 || control.rank() != bad || size == 1) return;
    const auto weights = task.parameters()[0].value.detach();
    weights[2] = std::nextafter(weights[2].item<float>(), 9.0F);  // the last bit of one number
  };
  if (size == 1) {
    train_on(task, 8, 10, 1000, spoil);
    EXPECT_EQ(saved, 8u);
    return;
  }
  try {
    train_on(task, 8, 10, /*replicas=*/1000, spoil);  // due by the save alone
    FAIL() << "it went on";
  } catch (const AgreedError& error) {
    const std::string what = error.what();
    EXPECT_EQ(error.code(), ExitCode::PeerLost);
    EXPECT_EQ(error.kind(), "ReplicasDiffer");
    EXPECT_NE(what.find("step 4: "), std::string::npos) << what;
    EXPECT_NE(what.find(size == 2 ? "ranks 0 (host" : "rank " + std::to_string(bad) + " (host"),
              std::string::npos)
        << what;
    EXPECT_NE(what.find("1 tensor(s) differ, model.weights"), std::string::npos) << what;
  }
  EXPECT_EQ(saved, 0u);
}

TEST_F(Loop, ComparesReplicasEverySoManySteps) {
  if (control.size() == 1) GTEST_SKIP() << "one rank has nobody to compare with";
  Drawn task(ranks, {});
  const auto spoil = [&](std::uint64_t done) {
    if (done == 1 && control.rank() == 0) task.parameters()[0].value.detach()[0] += 1;
  };
  EXPECT_THROW(train_on(task, 3, 10, /*replicas=*/2, spoil), AgreedError);
  Drawn unchecked(ranks, {});
  EXPECT_NO_THROW(train_on(unchecked, 3, 10, /*replicas=*/0, [&](std::uint64_t done) {
    if (done == 1 && control.rank() == 0) unchecked.parameters()[0].value.detach()[0] += 1;
  }));
}

}  // namespace
}  // namespace facemae
