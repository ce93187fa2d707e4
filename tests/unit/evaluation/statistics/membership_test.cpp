#include "evaluation/statistics/membership.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<double> normals(std::size_t count, double mean, std::uint64_t seed) {
  Draws draws(seed);
  std::vector<double> values(count);
  for (double& value : values) value = mean + draws.normal();
  return values;
}

TEST(Membership, AreaCountsPairsAndTiesHalf) {
  const std::vector<double> members{1, 3, 3}, others{0, 3};
  // Of six pairs: 1 > 0, 3 > 0 twice, two ties with 3.
  EXPECT_DOUBLE_EQ(membership_rates(members, others, 0).auc.value, (3 + 2 * 0.5) / 6);
}

TEST(Membership, AnAttackerWhoSeesNoDifferenceIsAtChanceToTheLastDigit) {
  const std::vector<double> members(50, 7.0), others(1500, 7.0);
  const MembershipRates rates = membership_rates(members, others, 0);
  EXPECT_DOUBLE_EQ(rates.auc.value, 0.5);
  EXPECT_DOUBLE_EQ(rates.dsys.value, 0);
  ASSERT_EQ(rates.at.size(), 2U);
  EXPECT_NEAR(rates.at[0].tpr.value, 0.05, 1e-12);
  EXPECT_NEAR(rates.at[1].tpr.value, 0.01, 1e-12);
}

TEST(Membership, RatesAreToldOnlyWhereFifteenNonmembersFixTheThreshold) {
  EXPECT_EQ(nonmembers_needed(0.05), 300);
  EXPECT_EQ(nonmembers_needed(0.01), 1500);
  EXPECT_EQ(nonmembers_needed(0.001), 15000);
  const auto members = normals(40, 1, 1);
  EXPECT_TRUE(membership_rates(members, normals(299, 0, 2), 0).at.empty());
  EXPECT_EQ(membership_rates(members, normals(300, 0, 2), 0).at.size(), 1U);
}

TEST(Membership, CallsAsManyOthersMembersAsTheRateSays) {
  std::vector<double> others(300), members{285.5, 284.5, 100};
  for (std::size_t i = 0; i < others.size(); ++i)
    others[i] = static_cast<double>(i);  // 285 to 299 are above 284
  const MembershipRates rates = membership_rates(members, others, 0);
  EXPECT_THAT(rates.at[0].hits, ElementsAre(1, 1, 0));
  const auto measured = measurements_of(rates, "A11", "name");
  ASSERT_EQ(measured.size(), 1U);
  EXPECT_EQ(measured[0].level, Level::Membership);
  EXPECT_EQ(measured[0].chance, 0.05);
  EXPECT_EQ(measured[0].attacker, "name, 5 % false positives");
  EXPECT_EQ(measured[0].tallies.size(), 3U);
  EXPECT_EQ(figures_of(rates, "A11", "name").size(), 3U);
}

TEST(Membership, PerfectSeparationIsNotTakenForCertainty) {
  const MembershipRates rates = membership_rates(normals(20, 100, 1), normals(20, 0, 2), 0);
  EXPECT_EQ(rates.auc.value, 1);
  EXPECT_LT(rates.auc.low, 0.85) << "twenty people are few";
  EXPECT_NEAR(rates.dsys.value, 1, 1e-12);
}

TEST(Membership, IntervalsOfTheAreaContainTheTruth) {
  const double truth = 0.5 * std::erfc(-0.5 / std::sqrt(2.0) / std::sqrt(2.0));  // means 0.5 deviations apart
  int inside = 0;
  constexpr int kSets = 60;
  for (int set = 0; set < kSets; ++set) {
    const auto seed = static_cast<std::uint64_t>(2 * set);
    const Figure auc = membership_rates(normals(40, 0.5, seed + 100), normals(40, 0, seed + 101), seed).auc;
    inside += auc.low <= truth && truth <= auc.high ? 1 : 0;
  }
  EXPECT_GE(inside, 52) << "of " << kSets << ", 95 % expected";
}

TEST(Membership, DsysOfKnownHistograms) {
  // Two bins: mated 3/4 and 1/4, others 1/4 and 3/4: 3/4 (3 - 1) / (3 + 1).
  const std::vector<double> mated{0, 0, 0, 1}, others{0, 1, 1, 1};
  EXPECT_DOUBLE_EQ(d_sys(mated, others), 0.75 * 0.5);
}

TEST(Membership, RefusesWhatTellsNothing) {
  const std::vector<double> some{1, 2}, none, broken{1, std::nan("")};
  EXPECT_THAT([&] { membership_rates(some, none, 0); },
              ThrowsMessage<ConfigError>(HasSubstr("both are needed")));
  EXPECT_THAT([&] { membership_rates(broken, some, 0); },
              ThrowsMessage<DataError>(HasSubstr("not a number")));
}

TEST(Membership, APersonIsTheMeanOfTheirPhotos) {
  const std::vector<double> scores{1, 3, 10};
  const std::vector<std::int64_t> person{0, 0, 2};
  const auto people = scores_of_people(scores, person, 3);
  EXPECT_EQ(people[0], 2);
  EXPECT_TRUE(std::isnan(people[1]));
  EXPECT_EQ(people[2], 10);
}

}  // namespace
}  // namespace facemae
