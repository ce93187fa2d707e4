#include "evaluation/intervals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

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

TEST(IncompleteBeta, EqualsItsClosedForms) {
  for (const double x : {0.01, 0.3, 0.5, 0.77, 0.999}) {
    EXPECT_NEAR(incomplete_beta(x, 1, 1), x, 1e-13);
    EXPECT_NEAR(incomplete_beta(x, 3, 1), x * x * x, 1e-13);
    EXPECT_NEAR(incomplete_beta(x, 1, 4), 1 - std::pow(1 - x, 4), 1e-13);
    EXPECT_NEAR(incomplete_beta(x, 0.5, 0.5), 2 / std::numbers::pi * std::asin(std::sqrt(x)), 1e-12);
  }
}

TEST(Bootstrap, ResamplesPeopleNotPictures) {
  // 50 people with 20 pictures each, found all or not at all: as wide as 50 trials, sqrt(0.25 / 50) * 1.96 =
  // 0.139.
  std::vector<double> hits, trials(1000, 1);
  std::vector<std::int64_t> person, alone;
  for (std::int64_t i = 0; i < 1000; ++i) {
    hits.push_back((i / 20) % 2 == 0 ? 1 : 0);
    person.push_back(i / 20);
    alone.push_back(i);
  }
  const Figure clustered = bootstrap_by_identity(hits, trials, person, 7, 0);
  EXPECT_EQ(clustered.value, 0.5);
  EXPECT_NEAR((clustered.high - clustered.low) / 2, 0.139, 0.015);
  const Figure independent = bootstrap_by_identity(hits, trials, alone, 7, 0);
  EXPECT_NEAR((independent.high - independent.low) / 2, 0.031, 0.004);
  for (std::size_t i = 0; i < 1000; ++i) hits[i] = static_cast<double>(i) / 1000;
  const Figure once = bootstrap_by_identity(hits, trials, person, 7, 0);
  EXPECT_EQ(bootstrap_by_identity(hits, trials, person, 7, 0).low, once.low);
  EXPECT_NE(bootstrap_by_identity(hits, trials, person, 8, 0).low, once.low);
  EXPECT_NE(bootstrap_by_identity(hits, trials, person, 7, 1).low, once.low);
}

}  // namespace
}  // namespace facemae
