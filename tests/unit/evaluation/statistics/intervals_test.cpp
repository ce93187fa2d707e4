#include "evaluation/statistics/intervals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/error.h"

namespace facemae {
namespace {

void expect_interval(const Figure& figure, double low, double high) {
  EXPECT_NEAR(figure.low, low, 5e-5);
  EXPECT_NEAR(figure.high, high, 5e-5);
}

TEST(ClopperPearson, AgreesWithPublishedValues) {
  expect_interval(clopper_pearson(0, 100), 0, 0.03622);
  expect_interval(clopper_pearson(5, 10), 0.1871, 0.8129);
  expect_interval(clopper_pearson(100, 100), 1 - 0.03622, 1);
  expect_interval(clopper_pearson(1, 20), 0.00127, 0.24873);
  EXPECT_NEAR(clopper_pearson(0, 2000000).high, 1 - std::pow(0.025, 1 / 2e6), 1e-12);
  EXPECT_TRUE(std::isnan(clopper_pearson(0, 0).value));
  EXPECT_THROW(clopper_pearson(2, 1), ConfigError);
}

struct Tries {
  std::vector<double> hits, trials;
  std::vector<std::int64_t> person;
  void add(std::int64_t who, double hit) {
    hits.push_back(hit);
    trials.push_back(1);
    person.push_back(who);
  }
  Figure interval() const { return interval_by_person(hits, trials, person); }
};

TEST(IntervalByPerson, CountsPeopleNotPictures) {
  // 50 people with 20 pictures each, found all or not at all: as wide as 50 trials, 0.145 to each side.
  Tries clustered, alone;
  for (std::int64_t i = 0; i < 1000; ++i) {
    const double hit = (i / 20) % 2 == 0 ? 1 : 0;
    clustered.add(i / 20, hit);
    alone.add(i, hit);
  }
  EXPECT_EQ(clustered.interval().value, 0.5);
  EXPECT_NEAR((clustered.interval().high - clustered.interval().low) / 2, 0.145, 0.01);
  EXPECT_NEAR((alone.interval().high - alone.interval().low) / 2, 0.031, 0.002);
}

TEST(IntervalByPerson, IsNeverNarrowerThanThePeopleAllowNearTheEnds) {
  Tries none, all, one;
  for (std::int64_t i = 0; i < 1920; ++i) {
    none.add(i / 16, 0);
    all.add(i / 16, 1);
    one.add(7, i % 2 == 0 ? 1 : 0);
  }
  expect_interval(none.interval(), 0, clopper_pearson(0, 120).high);  // 3.0 %, not 0.19 %
  expect_interval(all.interval(), clopper_pearson(120, 120).low, 1);
  EXPECT_LT(one.interval().low, 0.02);  // one person tells nothing of others
  EXPECT_GT(one.interval().high, 0.98);
  EXPECT_EQ(people_tried(none.trials, none.person), 120);
  EXPECT_TRUE(std::isnan(Tries{}.interval().value));
}

/// How often the interval holds the truth, over sets of people who are linked at rates of their own: `mean`,
/// with the correlation `alike` between pictures of one person.
double coverage(double mean, double alike, std::int64_t people, int sets) {
  std::mt19937_64 random(5);
  const double spread = (1 - alike) / alike;
  std::gamma_distribution<> linked(mean * spread), missed((1 - mean) * spread);
  int held = 0;
  for (int set = 0; set < sets; ++set) {
    Tries tries;
    for (std::int64_t who = 0; who < people; ++who) {
      const double a = linked(random), b = missed(random);
      // Both underflow for people who are linked always or never.
      const double rate = a + b > 0 ? a / (a + b) : std::bernoulli_distribution(mean)(random) ? 1 : 0;
      for (int picture = 0; picture < 16; ++picture)
        tries.add(who, std::bernoulli_distribution(rate)(random) ? 1 : 0);
    }
    const Figure found = tries.interval();
    held += found.low <= mean && mean <= found.high ? 1 : 0;
  }
  return static_cast<double>(held) / sets;
}

TEST(IntervalByPerson, HoldsTheTruthInNineteenOfTwentySetsAlsoNearTheEnds) {
  constexpr int sets = 400;
  const double allowance = 2 * std::sqrt(0.95 * 0.05 / sets);  // of the simulation
  for (const double mean : {0.02, 0.5, 0.98})
    for (const double alike : {0.05, 0.3, 0.8})
      for (const std::int64_t people : {20, 120})
        EXPECT_GE(coverage(mean, alike, people, sets), 0.95 - allowance)
            << "mean " << mean << ", correlation " << alike << ", people " << people;
}

}  // namespace
}  // namespace facemae
