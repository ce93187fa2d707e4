#include "evaluation/statistics/gaussian_privacy.h"

#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr double kLargestMu = 16;  // beyond, e^epsilon leaves the range of doubles, and nothing is protected

double below(double x) { return boost::math::cdf(boost::math::normal(), x); }

}  // namespace

double delta_of(double mu, double epsilon) {
  return below(-epsilon / mu + mu / 2) - std::exp(epsilon) * below(-epsilon / mu - mu / 2);
}

double epsilon_of(double mu, double delta) {
  if (!(mu > 0 && mu <= kLargestMu && delta > 0 && delta < 1))
    throw ConfigError(
        fmt::format("computing epsilon: mu {} must be above 0 and at most {}, delta {} between 0 and 1", mu,
                    kLargestMu, delta));
  double low = 0, high = 1;  // delta falls as epsilon rises
  if (delta_of(mu, low) <= delta) return low;
  while (delta_of(mu, high) > delta) high *= 2;
  for (int halvings = 0; halvings < 60; ++halvings) {
    const double middle = (low + high) / 2;
    (delta_of(mu, middle) > delta ? low : high) = middle;
  }
  return high;
}

double rank1_bound(double mu, double candidates) {
  return below(boost::math::quantile(boost::math::normal(), 1 / candidates) + mu);
}

}  // namespace facemae
