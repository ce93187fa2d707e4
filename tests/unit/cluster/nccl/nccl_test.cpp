#include <gtest/gtest.h>

#include <thread>

#include "cluster/nccl/nccl_communicator.h"
#include "core/error.h"
#include "tests/unit/cluster/nccl/fake_nccl.h"

namespace facemae {
namespace {

using test::FakeNccl, test::FakeStreams, test::Log;

struct Nccl : testing::Test {
  std::unique_ptr<NcclCommunicator> join(std::chrono::milliseconds deadline = std::chrono::seconds(30)) {
    return std::make_unique<NcclCommunicator>(
        nccl.api(), streams, control,
        NcclCommunicator::Options{.deadline = deadline, .watch_every = std::chrono::milliseconds(0)});
  }
  Log log;
  FakeNccl nccl{.log = &log};
  std::shared_ptr<FakeStreams> streams = std::make_shared<FakeStreams>(&log);
  AloneControl control;
  torch::Tensor tensor = torch::ones({5});
};

TEST_F(Nccl, JoinsByPollingUntilTheInitIsOver) {
  nccl.init_answer = nccl::kInProgress;
  nccl.polls_until_done = 3;
  auto ranks = join();
  EXPECT_EQ(nccl.polls, 4);
  EXPECT_EQ(log, (Log{"unique_id", "init"}));
}

TEST_F(Nccl, GivesUpJoiningAtTheDeadlineAndAbortsOnce) {
  nccl.init_answer = nccl::kInProgress;
  nccl.polls_until_done = std::numeric_limits<int>::max();
  EXPECT_THROW(join(std::chrono::milliseconds(20)), PeerLost);
  EXPECT_EQ(nccl.aborts, 1);
}

TEST_F(Nccl, ReportsARefusedUniqueIdOnEveryRank) {
  nccl.id_answer = 2;
  EXPECT_THROW(join(), PeerLost);
  EXPECT_EQ(log, Log{"unique_id"});
}

TEST_F(Nccl, NotesWhatIsInFlightAndWhatHasEnded) {
  auto ranks = join();
  ranks->all_reduce(tensor, Reduce::Sum).wait();
  ranks->all_reduce(tensor, Reduce::Sum).wait();
  ranks->watch();
  EXPECT_EQ(ranks->operations()->snapshot().started, 2u);
  EXPECT_EQ(ranks->operations()->snapshot().finished, 0u);
  streams->all_finished = true;
  ranks->watch();
  EXPECT_EQ(ranks->operations()->snapshot().finished, 2u);
}

TEST_F(Nccl, OrdersTheStreamsAroundACollective) {
  auto ranks = join();
  log.clear();
  auto work = ranks->all_reduce(tensor, Reduce::Max);
  EXPECT_EQ(log,
            (Log{"communication waits for current", "all_reduce 5 type 7 op 2", "keep for communication"}));
  log.clear();
  work.wait();
  EXPECT_EQ(log, Log{"current waits for communication"});
}

TEST_F(Nccl, IssuesCollectivesInTheOrderOfTheCalls) {
  auto ranks = join();
  log.clear();
  auto out = torch::empty({5});
  ranks->all_gather(out, tensor).wait();
  ranks->reduce_scatter(out, tensor, Reduce::Sum).wait();
  ranks->broadcast(tensor, 0).wait();
  std::erase_if(log, [](const std::string& line) { return line.find(' ') != std::string::npos; });
  EXPECT_EQ(log, (Log{"all_gather", "reduce_scatter", "broadcast"}));
}

TEST_F(Nccl, PollsACallThatIsInProgressBeforeItReturns) {
  auto ranks = join();
  nccl.call_answer = nccl::kInProgress;
  nccl.polls_until_done = nccl.polls + 5;
  ranks->all_reduce(tensor, Reduce::Sum).wait();
  EXPECT_EQ(nccl.polls, 6);
}

TEST_F(Nccl, TurnsAnAsynchronousErrorIntoPeerLostAndAbortsExactlyOnce) {
  {
    auto ranks = join();
    auto work = ranks->all_reduce(tensor, Reduce::Sum);
    nccl.state = 6;  // ncclRemoteError
    ranks->watch();
    EXPECT_THROW(work.wait(), PeerLost);
    EXPECT_THROW(ranks->broadcast(tensor, 0), PeerLost);
    EXPECT_THROW(ranks->close(), PeerLost);
    ranks->watch();
    ranks->abort();
    ranks->abort();
  }
  EXPECT_EQ(nccl.aborts, 1);
}

TEST_F(Nccl, TurnsAFailedCallIntoPeerLost) {
  auto ranks = join();
  nccl.call_answer = 2;
  EXPECT_THROW(ranks->all_reduce(tensor, Reduce::Sum), PeerLost);
  EXPECT_EQ(nccl.aborts, 1);
}

TEST_F(Nccl, AbortsACollectiveThatNeverEndsAndNamesIt) {
  auto ranks = join(std::chrono::milliseconds(10));
  auto work = ranks->all_reduce(tensor, Reduce::Sum);
  while (nccl.aborts == 0) ranks->watch();
  try {
    work.wait();
    FAIL() << "wait() returned";
  } catch (const PeerLost& error) {
    EXPECT_NE(std::string(error.what()).find("#1 (all_reduce of Float [5])"), std::string::npos)
        << error.what();
  }
}

TEST_F(Nccl, LeavesFinishedCollectivesAloneHoweverLongTheRunIdles) {
  auto ranks = join(std::chrono::milliseconds(0));
  ranks->all_reduce(tensor, Reduce::Sum).wait();
  streams->all_finished = true;
  ranks->watch();
  EXPECT_EQ(nccl.aborts, 0);
}

TEST_F(Nccl, AbortFromAnotherThreadFreesACallThatPolls) {
  auto ranks = join();
  nccl.call_answer = nccl::kInProgress;
  nccl.polls = 0;
  nccl.polls_until_done = std::numeric_limits<int>::max();
  std::jthread other([&] {
    while (nccl.polls == 0) std::this_thread::yield();
    ranks->abort();
  });
  EXPECT_THROW(ranks->all_reduce(tensor, Reduce::Sum), PeerLost);
  other.join();
  EXPECT_EQ(nccl.aborts, 1);
}

TEST_F(Nccl, RefusesATensorOfAnotherDeviceBeforeNcclSeesIt) {
  auto ranks = join();
  log.clear();
  const auto foreign = torch::empty({5}, torch::kMeta);
  EXPECT_EQ(ranks->device(), torch::kCPU);
  EXPECT_THROW((void)ranks->all_reduce(foreign, Reduce::Sum), Error);
  EXPECT_THROW((void)ranks->broadcast(foreign, 0), Error);
  EXPECT_THROW((void)ranks->all_gather(tensor, foreign), Error);
  EXPECT_THROW((void)ranks->all_gather(foreign, tensor), Error);
  EXPECT_THROW((void)ranks->reduce_scatter(foreign, tensor, Reduce::Sum), Error);
  EXPECT_EQ(log, Log{});
  EXPECT_EQ(ranks->operations()->snapshot().pushed, 0u);
}

TEST_F(Nccl, ACheckWaitsForWhatWasIssuedAndSeesAFailureBeforeTheWatcherDoes) {
  auto ranks = join();
  EXPECT_NO_THROW(ranks->check());
  ranks->all_reduce(tensor, Reduce::Sum).wait();  // orders streams alone
  std::jthread device([&] {
    while (nccl.polls < 20) std::this_thread::yield();  // it was looked at some times
    streams->all_finished = true;
  });
  EXPECT_NO_THROW(ranks->check());
  EXPECT_TRUE(streams->all_finished);
  nccl.state = 6;
  EXPECT_THROW(ranks->check(), PeerLost);
  EXPECT_THROW(ranks->check(), PeerLost);
  EXPECT_EQ(nccl.aborts, 1);
}

TEST_F(Nccl, ALookAtWhatIsKnownWaitsForNothing) {
  auto ranks = join();
  ranks->all_reduce(tensor, Reduce::Sum).wait();  // is never finished
  EXPECT_NO_THROW(ranks->check_known());
  nccl.state = 6;
  EXPECT_THROW(ranks->check_known(), PeerLost);
  EXPECT_EQ(nccl.aborts, 1);
}

TEST_F(Nccl, ACheckGivesUpAtTheDeadline) {
  auto ranks = join(std::chrono::milliseconds(10));
  ranks->all_reduce(tensor, Reduce::Sum).wait();
  EXPECT_THROW(ranks->check(), PeerLost);
}

TEST_F(Nccl, TheWatcherChoosesTheDeviceBeforeItLooksAtAnyEvent) {
  streams->all_finished = true;
  NcclCommunicator ranks(nccl.api(), streams, control,
                         NcclCommunicator::Options{.watch_every = std::chrono::milliseconds(1)});
  ranks.all_reduce(tensor, Reduce::Sum).wait();
  while (ranks.operations()->snapshot().finished == 0) std::this_thread::yield();
  EXPECT_FALSE(streams->unprepared);
  EXPECT_EQ(streams->prepared.size(), 2u);
}

TEST_F(Nccl, ClosesByFinalizeThenDestroyWithoutAbort) {
  {
    auto ranks = join();
    log.clear();
    ranks->close();
    EXPECT_THROW(ranks->all_reduce(tensor, Reduce::Sum), PeerLost);
  }
  EXPECT_EQ(log, (Log{"finalize", "destroy"}));
}

}  // namespace
}  // namespace facemae
