// The loop with a task of which single steps on single ranks go wrong.
#include "trainer/run/loop.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <thread>

#include "cluster/host/agree.h"
#include "cluster/mpi/mpi_communicator.h"
#include "cluster/mpi/mpi_control.h"
#include "tests/ranked/trainer/run/loop_fixture.h"
#include "trainer/files/requests.h"

namespace facemae {
namespace {

using std::chrono::minutes;
using trials::Drawn, trials::LoopTrial, trials::Poison;

/// Told at once, as on CPUs, and a step late, as on accelerators.
struct Loop : testing::TestWithParam<bool> {
  Loop() { trial.late = GetParam(); }
  MpiControl control{minutes(1)};
  MpiCommunicator ranks{"ranks", minutes(1)};
  LoopTrial trial{ranks, control};
};
INSTANTIATE_TEST_SUITE_P(, Loop, testing::Values(false, true),
                         [](const auto& told) { return told.param ? "Late" : "AtOnce"; });

TEST_P(Loop, SkipsOnAllRanksAStepThatIsNotFiniteOnOne) {
  Drawn sound(ranks, {});
  const auto four_steps = trial.train_on(sound, 4);
  EXPECT_GT(four_steps.min().item<double>(), 1);
  for (const Poison poison : {Poison::Gradient, Poison::Loss, Poison::Centres}) {
    SCOPED_TRACE(static_cast<int>(poison));
    trial.state = {};
    Drawn task(ranks, {.poison = poison, .rank = control.size() - 1, .steps = {2}});
    const auto weights = trial.train_on(task, 5);
    EXPECT_TRUE(weights.equal(four_steps)) << weights;
    EXPECT_EQ(trial.state.skipped, 1u);
    EXPECT_EQ(trial.state.skipped_in_row, 0u);
    EXPECT_EQ(task.undone, 1);
    EXPECT_EQ(task.ended, 4);
    EXPECT_TRUE(torch::isfinite(task.classes().centres).all().item<bool>());
  }
}

TEST_P(Loop, EndsOnAllRanksAfterTooManySkipsInARow) {
  Drawn task(ranks, {.poison = Poison::Gradient, .rank = 0, .steps = {1, 4, 5, 6, 7}});
  trial.max_skips = 3;
  try {
    trial.train_on(task, 20);
    FAIL() << "it went on";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::DoNotRequeue);
    EXPECT_EQ(error.kind(), "Diverged");
    EXPECT_NE(
        std::string(error.what()).find("step 8: the loss or its gradient was not finite 4 times in a row"),
        std::string::npos)
        << error.what();
  }
  EXPECT_EQ(trial.state.skipped, 5u);
  EXPECT_EQ(trial.saved, 4u) << "nothing after that is saved";
}

TEST_P(Loop, ASaveThatIsDueWaitsForAStepThatWasNotSkipped) {
  Drawn task(ranks, {.poison = Poison::Loss, .rank = 0, .steps = {3, 4}});
  trial.train_on(task, 7);
  EXPECT_EQ(trial.begun, (std::vector<std::uint64_t>{6, 7}))
      << "due after 4 steps, of which the fourth was skipped";
  EXPECT_EQ(trial.end.reason, "all steps done");
}

/// Rank 0's folder, in which something is asked for; the watch has seen it.
struct Asked {
  Asked(LoopTrial& trial, Request request) {
    ask(real_files(), folder.path(), request);
    if (!trial.control.is_root()) return;
    trial.requests = RequestWatch(folder.path(), std::chrono::milliseconds(5));
    const auto& seen = trial.requests;
    while (!(request == Request::Stop ? seen.stop() : seen.save())) std::this_thread::yield();
  }
  test::TemporaryFolder folder;
};

TEST_P(Loop, StopsOnAllRanksWhenAFileAsksRankZeroForIt) {
  const Asked asked(trial, Request::Stop);
  Drawn task(ranks, {});
  trial.train_on(task, 50);
  EXPECT_TRUE(trial.end.stopped);
  EXPECT_LE(trial.end.step, 3u) << "the first step that the vote knows of it";
  EXPECT_EQ(trial.saved, trial.end.step) << "committed";
  EXPECT_TRUE(!control.is_root() || trial.end.reason.starts_with("asked for by `facemae stop`: 20"))
      << trial.end.reason;
}

TEST_P(Loop, SavesOnceWhenAFileAsksRankZeroForIt) {
  const Asked asks(trial, Request::Save);
  Drawn task(ranks, {});
  trial.train_on(task, 3);
  ASSERT_EQ(trial.begun.size(), 2u) << "what was asked for, and the last step; none is due by the schedule";
  EXPECT_LT(trial.begun[0], 3u);
  EXPECT_FALSE(trial.requests.save());
  if (!control.is_root()) return;
  const auto stands = [&] { return asked(asks.folder.path(), Request::Save).has_value(); };
  for (int i = 0; i < 400 && stands(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(stands()) << "it is answered";
}

TEST_P(Loop, ARunWhoseLastStepsWereSkippedHasNoGoodEnd) {
  for (const std::set<std::uint64_t>& steps : {std::set<std::uint64_t>{5}, {0, 1, 2, 3, 4, 5}}) {
    Drawn task(ranks, {.poison = Poison::Centres, .rank = control.size() - 1, .steps = steps});
    trial.state = {};
    trial.begun = {};
    try {
      trial.train_on(task, 6);
      FAIL() << "it ended well";
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::DoNotRequeue);
      EXPECT_EQ(error.kind(), "Diverged");
      EXPECT_NE(std::string(error.what()).find("up to step 6"), std::string::npos) << error.what();
    }
    EXPECT_EQ(trial.begun,
              (steps.size() == 1 ? std::vector<std::uint64_t>{4} : std::vector<std::uint64_t>{}));
  }
}

TEST_P(Loop, StoppedAmongSkippedStepsItLeavesTheCheckpointBefore) {
  trial.stop_after = 7;
  Drawn task(ranks, {.poison = Poison::Gradient, .rank = 0, .steps = {5, 6}});
  trial.train_on(task, 20);
  EXPECT_TRUE(trial.end.stopped);
  EXPECT_NE(trial.end.reason.find("the checkpoint of step 4 remains the last one"), std::string::npos)
      << trial.end.reason;
  EXPECT_EQ(trial.begun, std::vector<std::uint64_t>{4});
  trial.state = {};
  trial.stop_after = 2;
  Drawn hopeless(ranks, {.poison = Poison::Gradient, .rank = 0, .steps = {0, 1}});
  EXPECT_THROW(trial.train_on(hopeless, 20), AgreedError) << "76 promises a checkpoint";
}

TEST_P(Loop, NamesTheRankWhoseWeightsDifferAndDoesNotSaveThem) {
  const int size = control.size(), bad = size - 1;
  Drawn task(ranks, {});
  trial.replicas = 1000;  // due by the save alone
  task.at_end = [&] {
    if (task.ended != 4 || control.rank() != bad || size == 1) return;
    const auto weights = task.parameters()[0].value.detach();
    weights[2] = std::nextafter(weights[2].item<float>(), 9.0F);  // the last bit of one number
  };
  if (size == 1) {
    trial.train_on(task, 8);
    EXPECT_EQ(trial.saved, 8u);
    return;
  }
  try {
    trial.train_on(task, 8);
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
  EXPECT_EQ(trial.saved, 0u);
}

TEST_P(Loop, ComparesReplicasEverySoManySteps) {
  if (control.size() == 1) GTEST_SKIP() << "one rank has nobody to compare with";
  for (const std::uint64_t every : {2, 0}) {
    Drawn task(ranks, {});
    trial.replicas = every;
    task.at_end = [&] {
      if (task.ended == 1 && control.rank() == 0) task.parameters()[0].value.detach()[0] += 1;
    };
    if (every > 0)
      EXPECT_THROW(trial.train_on(task, 3), AgreedError);
    else
      EXPECT_NO_THROW(trial.train_on(task, 3));
  }
}

/// A link or memory that turns what one rank receives into something that is no number, once.
class Spoiling final : public Communicator {
 public:
  Spoiling(Communicator& sound, int victim, int call) : sound_(sound), victim_(victim), call_(call) {}
  int rank() const noexcept override { return sound_.rank(); }
  int size() const noexcept override { return sound_.size(); }
  torch::Device device() const noexcept override { return sound_.device(); }
  Work all_reduce(torch::Tensor tensor, Reduce op) override {
    sound_.all_reduce(tensor, op).wait();
    if (call_-- == 0 && rank() == victim_) tensor.view({-1})[0] = std::numeric_limits<float>::quiet_NaN();
    return {};
  }
  Work all_gather(torch::Tensor out, torch::Tensor in) override { return sound_.all_gather(out, in); }
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override {
    return sound_.reduce_scatter(out, in, op);
  }
  Work broadcast(torch::Tensor tensor, int root) override { return sound_.broadcast(tensor, root); }
  void abort() noexcept override { sound_.abort(); }

 private:
  Communicator& sound_;
  int victim_, call_;
};

TEST_P(Loop, SkipsOnAllRanksASumThatOnlyOneRankReceivedSpoilt) {
  Drawn sound(ranks, {});
  const auto two_steps = trial.train_on(sound, 2);
  Spoiling spoiling(ranks, control.size() - 1, /*call=*/0);  // the first step's gradients
  LoopTrial spoilt(spoiling, control);
  spoilt.late = GetParam();
  Drawn task(spoiling, {});
  EXPECT_TRUE(spoilt.train_on(task, 3).equal(two_steps)) << task.weights();
  EXPECT_EQ(spoilt.state.skipped, 1u);
  EXPECT_EQ(task.undone, 1);
}

}  // namespace
}  // namespace facemae
