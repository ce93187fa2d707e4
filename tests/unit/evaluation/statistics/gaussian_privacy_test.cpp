#include "evaluation/statistics/gaussian_privacy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

TEST(GaussianPrivacy, HasTheEpsilonsThatAreKnown) {
  EXPECT_NEAR(epsilon_of(0.5, 1e-5), 1.99, 0.01);
  EXPECT_NEAR(epsilon_of(1, 1e-5), 4.38, 0.01);
  EXPECT_NEAR(epsilon_of(2, 1e-5), 10.0, 0.05);
  EXPECT_EQ(epsilon_of(0.01, 0.5), 0) << "delta alone covers it";
}

TEST(GaussianPrivacy, ItsEpsilonGivesItsDelta) {
  for (const double mu : {0.1, 0.7, 3.0, 16.0})
    for (const double delta : {1e-9, 1e-5, 1e-2})
      EXPECT_NEAR(delta_of(mu, epsilon_of(mu, delta)) / delta, 1, 1e-6) << mu << " " << delta;
}

TEST(GaussianPrivacy, IsTheAreaBetweenTwoGaussians) {
  // delta(e) is the integral of max(0, p1 - e^e p0), p0 and p1 of N(0, 1) and N(mu, 1).
  constexpr double mu = 1.3, epsilon = 0.8, step = 1e-4;
  double area = 0;
  for (double x = -12; x < 14; x += step) {
    const auto density = [](double at) { return std::exp(-at * at / 2) / std::sqrt(2 * M_PI); };
    area += step * std::max(0.0, density(x - mu) - std::exp(epsilon) * density(x));
  }
  EXPECT_NEAR(delta_of(mu, epsilon), area, 1e-6);
}

TEST(GaussianPrivacy, BoundsTheChanceOfNamingAPhoto) {
  EXPECT_NEAR(rank1_bound(1, 1000), 0.018, 0.0005);
  EXPECT_NEAR(rank1_bound(1, 10000), 0.0033, 0.0001);
  EXPECT_NEAR(rank1_bound(1e-9, 50), 0.02, 1e-6) << "without mu, guessing";
}

TEST(GaussianPrivacy, RefusesWhatIsNoParameter) {
  EXPECT_THROW(epsilon_of(0, 1e-5), ConfigError);
  EXPECT_THROW(epsilon_of(17, 1e-5), ConfigError);
  EXPECT_THROW(epsilon_of(std::nan(""), 1e-5), ConfigError);
  EXPECT_THROW(epsilon_of(1, 0), ConfigError);
  EXPECT_THROW(epsilon_of(1, 1), ConfigError);
}

}  // namespace
}  // namespace facemae
