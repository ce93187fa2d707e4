#include "trainer/run/loop.h"

#include <gtest/gtest.h>

#include "cluster/nccl/nccl_communicator.h"
#include "core/error.h"
#include "tests/ranked/trainer/run/loop_fixture.h"
#include "tests/unit/cluster/nccl/fake_nccl.h"

namespace facemae {
namespace {

TEST(RunState, SurvivesItsText) {
  const RunState state{.skipped = 3,
                       .skipped_in_row = 1,
                       .automatic_weight = 0.123456789012345678,
                       .linkage_weight = 0.2345678901234567,
                       .quarantine = {{2, 640}, {5, 1ULL << 40}}};
  const RunState again = RunState::from_json(state.to_json());
  EXPECT_EQ(again.skipped, 3u);
  EXPECT_EQ(again.skipped_in_row, 1u);
  EXPECT_EQ(again.automatic_weight, state.automatic_weight);
  EXPECT_EQ(again.linkage_weight, state.linkage_weight);
  EXPECT_EQ(again.quarantine, state.quarantine);
}

TEST(RunState, OfOlderVersionsHasNoLinkageWeight) {
  const RunState state =
      RunState::from_json(R"({"skipped":0,"skipped_in_row":0,"automatic_weight":2,"quarantine":[]})");
  EXPECT_EQ(state.linkage_weight, 0);
  EXPECT_EQ(state.to_json().find("linkage"), std::string::npos);
}

TEST(RunState, RefusesWhatIsNotOne) {
  EXPECT_THROW(RunState::from_json("[1,"), CheckpointError);
  EXPECT_THROW(RunState::from_json("{}"), CheckpointError);
  EXPECT_THROW(
      RunState::from_json(R"({"skipped":0,"skipped_in_row":0,"automatic_weight":0,"quarantine":[{}]})"),
      CheckpointError);
}

/// The loop over NCCL, whose collectives are aborted behind the host's back.
struct LostPeerInTheLoop : testing::Test {
  LostPeerInTheLoop() { streams->all_finished = true; }
  test::Log log;
  test::FakeNccl nccl{.log = &log};
  std::shared_ptr<test::FakeStreams> streams = std::make_shared<test::FakeStreams>(&log);
  AloneControl control;
  NcclCommunicator ranks{nccl.api(), streams, control,
                         NcclCommunicator::Options{.watch_every = std::chrono::milliseconds(0)}};
  trials::Drawn task{ranks, {}};
  trials::LoopTrial trial{ranks, control};
  void lose() { nccl.state = 6; }  // ncclRemoteError

  /// In the third step, between the host's wait for the gradients and the vote.
  void expect_no_update(const std::function<void()>& failure) {
    torch::Tensor before;
    trial.before_vote = [&, asked = 0]() mutable {
      if (++asked < 3) return;
      before = task.weights();
      failure();
    };
    EXPECT_THROW(trial.train_on(task, 9), PeerLost);
    ASSERT_TRUE(before.defined());
    EXPECT_TRUE(task.weights().equal(before)) << task.weights();
    EXPECT_EQ(task.ended, 2);
  }
};

TEST_F(LostPeerInTheLoop, NoUpdateIsMadeFromSumsThatWereAborted) {
  expect_no_update([&] {
    lose();
    ranks.watch();
  });
}

TEST_F(LostPeerInTheLoop, NoUpdateIsMadeEvenIfTheWatcherHasNotSeenTheFailureYet) {
  expect_no_update([&] { lose(); });
}

TEST_F(LostPeerInTheLoop, NothingIsSavedOfStatisticsWhoseSumWasAborted) {
  trial.log_every = 100;
  task.at_end = [&] {
    if (task.ended == 4) lose();  // the step that a save follows
  };
  EXPECT_THROW(trial.train_on(task, 9), PeerLost);
  EXPECT_EQ(task.ended, 4);
  EXPECT_EQ(trial.saved, 0u);
}

TEST_F(LostPeerInTheLoop, ToldLateARunEndsWithTheStepThatRestsOnAbortedSumsAndSavesNothingOfIt) {
  for (const int last : {2, 4}) {  // an ordinary step, and one that a save follows
    nccl.state = 0;
    AloneControl alone;
    NcclCommunicator own(nccl.api(), streams, alone,
                         NcclCommunicator::Options{.watch_every = std::chrono::milliseconds(0)});
    trials::Drawn drawn(own, {});
    trials::LoopTrial late(own, alone);
    late.late = true;
    late.log_every = 100;
    drawn.at_end = [&] {
      if (drawn.ended == last) lose();
    };
    EXPECT_THROW(late.train_on(drawn, 9), PeerLost);
    EXPECT_EQ(drawn.ended, last);
    EXPECT_EQ(late.saved, 0u);
  }
}

}  // namespace
}  // namespace facemae
