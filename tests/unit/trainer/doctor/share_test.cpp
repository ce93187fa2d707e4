#include "trainer/doctor/share.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

/// One rank says no.
struct Objecting final : Control {
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 2; }
  std::string broadcast(std::string text, int) override { return text; }
  std::vector<std::string> gather(const std::string& mine, int) override { return {mine, mine}; }
  std::uint64_t any_of(std::uint64_t) override { return 1; }
  void barrier(std::chrono::milliseconds) override {}
};

TEST(Share, HasTimeForWhatEndsWithinIt) {
  AloneControl control;
  double now = 100;
  Share share(control, 10, [&] { return now; });
  EXPECT_TRUE(share.has(10));
  EXPECT_FALSE(share.has(10.5));
  now = 108;
  EXPECT_TRUE(share.has(2));
  EXPECT_FALSE(share.has(3));
  now = 111;
  EXPECT_FALSE(share.has(0));
}

TEST(Share, HasNoTimeWhenAnyRankHasNone) {
  Objecting control;
  Share share(control, 10, [] { return 0.0; });
  EXPECT_FALSE(share.has(1));
}

TEST(Timed, LeavesOutTheFirstTimeWhereThereAreOthers) {
  AloneControl control;
  Share share(control, 1000, [] { return 0.0; });
  int done = 0;
  EXPECT_EQ(timed(share, 5, 1, [&] { ++done; }).size(), 5u);
  EXPECT_EQ(done, 6);
}

TEST(Timed, KeepsTheOnlyTimeWhenThereIsTimeForNoMore) {
  AloneControl control;
  double now = 0;
  Share share(control, 10, [&] { return now; });
  EXPECT_EQ(timed(share, 5, 10, [&] { now = 11; }).size(), 1u);
  EXPECT_TRUE(timed(share, 5, 10, [] { FAIL() << "there is no time left"; }).empty());
}

}  // namespace
}  // namespace facemae
