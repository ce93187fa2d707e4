#include "evaluation/statistics/mean.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace facemae {

Figure interval_of_mean(std::span<const double> values) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {kUnknown, kUnknown, kUnknown};
  const auto n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / n;
  if (values.size() == 1) return {mean, kUnknown, kUnknown};
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double error = std::sqrt(squares / (n - 1) / n);
  const double reach = error * boost::math::quantile(boost::math::students_t(n - 1), 0.975);
  return {mean, mean - reach, mean + reach};
}

}  // namespace facemae
