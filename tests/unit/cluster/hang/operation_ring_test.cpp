#include "cluster/hang/operation_ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace facemae {
namespace {

TEST(OperationRing, TellsHowFarEachOperationCame) {
  OperationRing ring("gradients");
  const auto first = ring.push("all_reduce a"), second = ring.push("all_reduce b");
  ring.start(first);
  ring.finish(first);
  ring.start(second);
  ring.push("all_reduce c");
  const auto seen = ring.snapshot();
  EXPECT_EQ(seen.name, "gradients");
  EXPECT_EQ(seen.pushed, 3u);
  EXPECT_EQ(seen.started, 2u);
  EXPECT_EQ(seen.finished, 1u);
  ASSERT_EQ(seen.tail.size(), 3u);
  EXPECT_EQ(seen.tail[0].state, OperationState::Finished);
  EXPECT_EQ(seen.tail[1].state, OperationState::Started);
  EXPECT_EQ(seen.tail[2].state, OperationState::Pushed);
  EXPECT_EQ(seen.tail[2].what, "all_reduce c");
  EXPECT_LE(seen.tail[0].pushed, seen.tail[0].started);
  EXPECT_LE(seen.tail[0].started, seen.tail[0].finished);
  EXPECT_EQ(ring.last_finished(), seen.tail[0].finished);
}

TEST(OperationRing, KeepsTheNewestAndCountsAll) {
  OperationRing ring("batch", 4);
  for (int i = 1; i <= 10; ++i) ring.start(ring.push("call " + std::to_string(i)));
  ring.finish(1);  // long gone from the ring
  const auto seen = ring.snapshot();
  EXPECT_EQ(seen.pushed, 10u);
  EXPECT_EQ(seen.finished, 1u);
  ASSERT_EQ(seen.tail.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(seen.tail[i].number, 7 + i);
    EXPECT_EQ(seen.tail[i].what, "call " + std::to_string(7 + i));
    EXPECT_EQ(seen.tail[i].state, OperationState::Started);
  }
}

TEST(OperationRing, HasFinishedNothingAtFirst) {
  const OperationRing ring("control");
  EXPECT_EQ(ring.last_finished(), OperationRing::Clock::time_point());
  EXPECT_EQ(ring.pushed(), 0u);
  EXPECT_TRUE(ring.snapshot().tail.empty());
}

TEST(OngoingOperation, IsFinishedUnlessAnExceptionLeavesIt) {
  OperationRing ring("control");
  { const OngoingOperation vote(ring, "vote"); }
  try {
    const OngoingOperation vote(ring, "vote");
    throw 1;
  } catch (int) {
  }
  const auto seen = ring.snapshot();
  EXPECT_EQ(seen.started, 2u);
  EXPECT_EQ(seen.finished, 1u);
}

TEST(OperationRing, IsReadWhileOthersWrite) {
  OperationRing ring("batch", 8);
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto number = ring.push("call");
      ring.start(number);
      ring.finish(number);
    }
  });
  for (int i = 0; i < 200; ++i) {
    const auto seen = ring.snapshot();
    EXPECT_LE(seen.finished, seen.pushed);
    for (std::size_t k = 1; k < seen.tail.size(); ++k)
      EXPECT_EQ(seen.tail[k].number, seen.tail[k - 1].number + 1);
    EXPECT_LE(ring.last_finished(), OperationRing::Clock::now());
  }
}

}  // namespace
}  // namespace facemae
