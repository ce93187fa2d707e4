#include "cluster/hang/work_queue.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "core/error.h"

namespace facemae {
namespace {

using std::chrono::milliseconds;
constexpr auto kDeadline = std::chrono::seconds(30);

/// A job that blocks until it is let go, as an MPI call does whose peer is late.
class Blocker {
 public:
  std::function<void()> job() {
    return [state = state_] {
      state->entered.set_value();
      state->gate.get_future().wait();
    };
  }
  void wait_until_entered() { state_->entered.get_future().wait(); }
  void let_go() { state_->gate.set_value(); }

 private:
  struct State {
    std::promise<void> entered, gate;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const PeerLost& error) {
    return error.what();
  }
  return "no PeerLost";
}

TEST(WorkQueue, RunsJobsInTheOrderTheyWerePushed) {
  WorkQueue queue("test", kDeadline);
  std::vector<int> order;
  WorkQueue::Handle last;
  for (int i = 0; i < 100; ++i) last = queue.push("job", [&order, i] { order.push_back(i); });
  queue.wait(last);
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(WorkQueue, WaitsForAnyJobInAnyOrderAndDrains) {
  WorkQueue queue("test", kDeadline);
  int sum = 0;
  auto first = queue.push("a", [&] { sum += 1; });
  auto second = queue.push("b", [&] { sum += 2; });
  queue.wait(second);
  queue.wait(first);
  queue.push("c", [&] { sum += 4; });
  queue.drain();
  EXPECT_EQ(sum, 7);
}

TEST(WorkQueue, RethrowsAJobsFailureAndFailsWhatFollows) {
  WorkQueue queue("test", kDeadline);
  Blocker blocker;
  queue.push("first", blocker.job());
  auto bad = queue.push("bad", [] { throw PeerLost("the link is down"); });
  bool ran = false;
  auto next = queue.push("next", [&] { ran = true; });
  blocker.let_go();
  EXPECT_EQ(message_of([&] { queue.wait(bad); }), "the link is down");
  EXPECT_EQ(message_of([&] { queue.wait(next); }), "the link is down");
  EXPECT_EQ(message_of([&] { queue.push("later", [] {}); }), "the link is down");
  EXPECT_FALSE(ran);
}

TEST(WorkQueue, NamesTheStuckJobAndTheOneBehindItAtTheDeadline) {
  Blocker blocker;
  {
    WorkQueue queue("gradients", milliseconds(30));
    queue.push("all_reduce of bucket 4", blocker.job());
    auto behind = queue.push("all_reduce of bucket 5", [] {});
    const auto message = message_of([&] { queue.wait(behind); });
    for (const char* part :
         {"'gradients'", "#1 (all_reduce of bucket 4)", "#2 (all_reduce of bucket 5)", "rank is lost"})
      EXPECT_NE(message.find(part), std::string::npos) << message;
    blocker.wait_until_entered();
  }  // the thread is still blocked: it is left behind, and this line is reached
  blocker.let_go();
}

TEST(WorkQueue, FailsPendingAndFutureJobsOnRequestWithTheFirstReason) {
  WorkQueue queue("test", kDeadline);
  Blocker blocker;
  auto running = queue.push("running", blocker.job());
  auto pending = queue.push("pending", [] {});
  blocker.wait_until_entered();
  auto waiter = std::async(std::launch::async, [&] { return message_of([&] { queue.wait(running); }); });
  queue.fail("aborted");
  queue.fail("again");
  EXPECT_NE(waiter.get().find("aborted"), std::string::npos);
  EXPECT_NE(message_of([&] { queue.wait(pending); }).find("aborted"), std::string::npos);
  EXPECT_NE(message_of([&] { queue.push("later", [] {}); }).find("aborted"), std::string::npos);
  blocker.let_go();
}

TEST(WorkQueue, NotesHowFarItsJobsCame) {
  WorkQueue queue("gradients", kDeadline);
  Blocker blocker;
  queue.wait(queue.push("bucket 0", [] {}));
  auto running = queue.push("bucket 1", blocker.job());
  auto pending = queue.push("bucket 2", [] {});
  blocker.wait_until_entered();
  const auto seen = queue.operations()->snapshot();
  EXPECT_EQ(seen.name, "gradients");
  EXPECT_EQ(seen.pushed, 3u);
  EXPECT_EQ(seen.started, 2u);
  EXPECT_EQ(seen.finished, 1u);
  EXPECT_EQ(seen.tail.back().what, "bucket 2");
  blocker.let_go();
  queue.wait(pending);
  EXPECT_EQ(queue.operations()->snapshot().finished, 3u);
}

TEST(WorkQueue, ReleasesWhatAJobHoldsOnceItRan) {
  WorkQueue queue("test", kDeadline);
  auto tensor = std::make_shared<int>(1);
  auto job = queue.push("job", [tensor] { ++*tensor; });
  queue.wait(job);
  EXPECT_EQ(*tensor, 2);
  EXPECT_EQ(tensor.use_count(), 1);
}

}  // namespace
}  // namespace facemae
