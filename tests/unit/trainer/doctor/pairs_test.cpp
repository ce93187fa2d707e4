#include "trainer/doctor/pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace facemae {
namespace {

using testing::IsEmpty, testing::SizeIs;

TEST(RoundsOfPairs, LetEveryTwoMeetOnceAndNobodyTwiceInARound) {
  for (const int n : {0, 1, 2, 3, 4, 5, 8, 31}) {
    std::set<std::pair<int, int>> met;
    const auto rounds = rounds_of_pairs(n);
    for (const auto& round : rounds) {
      std::set<int> busy;
      for (const auto& [a, b] : round) {
        EXPECT_LT(a, b);
        EXPECT_GE(a, 0);
        EXPECT_LT(b, n);
        EXPECT_TRUE(busy.insert(a).second && busy.insert(b).second) << a << " " << b << " of " << n;
        EXPECT_TRUE(met.insert({a, b}).second) << a << " and " << b << " of " << n << " meet again";
      }
    }
    EXPECT_EQ(met.size(), static_cast<std::size_t>(n * (n - 1) / 2)) << n;
    EXPECT_LE(rounds.size(), static_cast<std::size_t>(n)) << "more rounds than needed";
  }
}

/// All pairs of n nodes at rate 10, but for what `slower` says.
std::vector<PairRate> rates_of(int n, const std::function<double(int, int)>& slower) {
  std::vector<PairRate> rates;
  for (int a = 0; a < n; ++a)
    for (int b = a + 1; b < n; ++b) rates.push_back({.a = a, .b = b, .rate = slower(a, b)});
  return rates;
}

TEST(SlowLinks, AreNoneWhereAllAreAlikeOrThereIsNothingToCompareWith) {
  EXPECT_THAT(slow_links(rates_of(5, [](int a, int b) { return 10 - 0.1 * a + 0.1 * b; }), 5), IsEmpty());
  EXPECT_THAT(slow_links(rates_of(2, [](int, int) { return 0.001; }), 2), IsEmpty());
  EXPECT_THAT(slow_links({}, 3), IsEmpty());
}

TEST(SlowLinks, NameTheNodeThatIsSlowToAllOthersAlthoughMostPairsAreSlowThen) {
  for (int guilty = 0; guilty < 3; ++guilty) {
    const auto slow =
        slow_links(rates_of(3, [&](int a, int b) { return a == guilty || b == guilty ? 1 : 10; }), 3);
    ASSERT_THAT(slow, SizeIs(1));
    EXPECT_EQ(slow[0].node, guilty);
    EXPECT_EQ(slow[0].other, -1);
    EXPECT_EQ(slow[0].rate, 1);
    EXPECT_EQ(slow[0].usual, 10);
  }
}

TEST(SlowLinks, NameTheTwoEndsOfOneBadLink) {
  const auto slow = slow_links(rates_of(4, [](int a, int b) { return a == 1 && b == 3 ? 2 : 10; }), 4);
  ASSERT_THAT(slow, SizeIs(1));
  EXPECT_EQ(slow[0].node, 1);
  EXPECT_EQ(slow[0].other, 3);
}

TEST(SlowLinks, NameASlowNodeAndABadLinkOfOthers) {
  const auto slow = slow_links(rates_of(6,
                                        [](int a, int b) {
                                          if (a == 5 || b == 5) return 1;
                                          return a == 0 && b == 2 ? 3 : 10;
                                        }),
                               6);
  ASSERT_THAT(slow, SizeIs(2));
  EXPECT_EQ(slow[0].node, 5);
  EXPECT_EQ(slow[1].node, 0);
  EXPECT_EQ(slow[1].other, 2);
}

TEST(SlowLinks, LeaveOutNodesThatThereWasNoTimeFor) {
  const auto slow = slow_links({{.a = 0, .b = 1, .rate = 10}, {.a = 2, .b = 3, .rate = 10}}, 6);
  EXPECT_THAT(slow, IsEmpty());
}

}  // namespace
}  // namespace facemae
