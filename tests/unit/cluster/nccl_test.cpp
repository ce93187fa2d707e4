#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "cluster/nccl_communicator.h"
#include "core/error.h"

namespace facemae {
namespace {

using Log = std::vector<std::string>;

/// NCCL that does nothing but take notes and answer as it is told.
struct FakeNccl {
  Log* log;
  nccl::Code init_answer = nccl::kSuccess, call_answer = nccl::kSuccess, id_answer = nccl::kSuccess;
  nccl::Code finalize_answer = nccl::kSuccess;
  int polls_until_done = 0;           // how often get_async_error says kInProgress
  nccl::Code state = nccl::kSuccess;  // and what it says afterwards
  std::atomic<int> polls = 0, aborts = 0;

  nccl::Code note(const std::string& what, nccl::Code answer) {
    log->push_back(what);
    return answer;
  }
  nccl::Api api() {
    nccl::Api api;
    api.unique_id = [this](nccl::UniqueId&) { return note("unique_id", id_answer); };
    api.init = [this](nccl::Comm& comm, int, const nccl::UniqueId&, int) {
      comm = this;
      return note("init", init_answer);
    };
    api.all_reduce = [this](const void*, void*, std::size_t count, nccl::Type type, nccl::Op op, nccl::Comm,
                            void*) {
      return note("all_reduce " + std::to_string(count) + " type " + std::to_string(int(type)) + " op " +
                      std::to_string(int(op)),
                  call_answer);
    };
    api.all_gather = [this](const void*, void*, std::size_t, nccl::Type, nccl::Comm, void*) {
      return note("all_gather", call_answer);
    };
    api.reduce_scatter = [this](const void*, void*, std::size_t, nccl::Type, nccl::Op, nccl::Comm, void*) {
      return note("reduce_scatter", call_answer);
    };
    api.broadcast = [this](void*, std::size_t, nccl::Type, int, nccl::Comm, void*) {
      return note("broadcast", call_answer);
    };
    api.get_async_error = [this](nccl::Comm, nccl::Code& answer) {
      answer = polls++ < polls_until_done ? nccl::kInProgress : state;
      return nccl::kSuccess;
    };
    api.abort = [this](nccl::Comm) {
      ++aborts;
      return note("abort", nccl::kSuccess);
    };
    api.finalize = [this](nccl::Comm) { return note("finalize", finalize_answer); };
    api.destroy = [this](nccl::Comm) { return note("destroy", nccl::kSuccess); };
    api.text = [](nccl::Code code) { return "code " + std::to_string(code); };
    return api;
  }
};

struct FakeStreams final : GpuStreams {
  struct Note final : Event {
    std::string of;
  };
  explicit FakeStreams(Log* notes) : log(notes) {}
  static std::string name(c10::Stream stream) { return stream.id() == 0 ? "current" : "communication"; }
  c10::Stream current() override { return c10::Stream(c10::Stream::UNSAFE, torch::kCPU, 0); }
  c10::Stream communication() override { return c10::Stream(c10::Stream::UNSAFE, torch::kCPU, 1); }
  void* native(c10::Stream) override { return this; }
  std::shared_ptr<Event> record(c10::Stream stream) override {
    auto event = std::make_shared<Note>();
    event->of = name(stream);
    return event;
  }
  void wait(c10::Stream stream, Event& event) override {
    log->push_back(name(stream) + " waits for " + static_cast<Note&>(event).of);
  }
  bool finished(Event&) override { return all_finished; }
  void keep(const torch::Tensor&, c10::Stream stream) override { log->push_back("keep for " + name(stream)); }
  Log* log;
  bool all_finished = false;
};

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
