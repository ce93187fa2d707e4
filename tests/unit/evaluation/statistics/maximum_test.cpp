#include "evaluation/statistics/maximum.h"

#include <gtest/gtest.h>

#include <cmath>

#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

Measurement of(const std::string& attack, int hits, int people, std::int64_t people_per_class = 1) {
  Measurement measurement{.attack = attack, .people_per_class = people_per_class};
  for (int i = 0; i < people; ++i) measurement.tallies.push_back({i, i < hits ? 1.0 : 0.0, 1});
  return measurement;
}

TEST(Maximum, IsOfNamingOddsAndNotOfWhatIsFound) {
  const std::vector<Measurement> all{of("blend", 60, 100, 4), of("plain", 20, 100)};
  EXPECT_EQ(strongest(all)->attack, "plain");  // 20 % against 60 / 4 = 15 %
  EXPECT_EQ(interval_of_maximum(all).value, 0.2);
}

TEST(Maximum, IsNeverNarrowerThanTheWorstAttacksOwnInterval) {
  for (const int hits : {0, 1, 5, 50, 100}) {
    const std::vector<Measurement> all{of("worst", hits, 100), of("other", hits / 2, 100)};
    const Figure both = interval_of_maximum(all), own = clopper_pearson(hits, 100);
    EXPECT_LE(both.low, own.low) << hits;
    EXPECT_GE(both.high, own.high) << hits;
  }
}

TEST(Maximum, ReachesAsFarAsAnAttackThatWasHardlyTried) {
  const std::vector<Measurement> all{of("tried", 5, 1000), of("hardly tried", 0, 10)};
  const Figure figure = interval_of_maximum(all);
  EXPECT_EQ(figure.value, 0.005);
  EXPECT_EQ(figure.high, clopper_pearson(0, 10).high);  // 31 %: nobody knows what it would find
}

TEST(Maximum, IsNotMeasuredWithoutTrials) {
  EXPECT_TRUE(std::isnan(interval_of_maximum({}).value));
  const std::vector<Measurement> all{Measurement{.attack = "none"}};
  EXPECT_TRUE(std::isnan(interval_of_maximum(all).value));
  EXPECT_EQ(strongest(all), nullptr);
}

}  // namespace
}  // namespace facemae
