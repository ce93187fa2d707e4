#include "evaluation/statistics/maximum.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

/// On the release itself, and about who it shows.
bool counts(const Measurement& measurement) {
  if (!measurement.control.empty() || measurement.level == Level::Membership) return false;
  return std::any_of(measurement.tallies.begin(), measurement.tallies.end(),
                     [](const Tally& tally) { return tally.trials > 0; });
}

double odds(const Measurement& measurement) {
  double hits = 0, trials = 0;
  for (const Tally& tally : measurement.tallies) hits += tally.hits, trials += tally.trials;
  return hits / trials / static_cast<double>(measurement.people_per_class);
}

}  // namespace

const Measurement* strongest(std::span<const Measurement> measurements) {
  const Measurement* worst = nullptr;
  for (const Measurement& measurement : measurements)
    if (counts(measurement) && (worst == nullptr || odds(measurement) > odds(*worst))) worst = &measurement;
  return worst;
}

Figure interval_of_maximum(std::span<const Measurement> measurements) {
  const Measurement* worst = strongest(measurements);
  if (worst == nullptr) return {std::numeric_limits<double>::quiet_NaN(), 0, 1};
  const auto tried = std::count_if(measurements.begin(), measurements.end(), counts);
  Figure figure{odds(*worst), 0, 0};
  for (const Measurement& measurement : measurements) {
    if (!counts(measurement)) continue;
    const auto people = static_cast<double>(measurement.people_per_class);
    figure.low = std::max(figure.low, lower_limit(measurement, kTail / static_cast<double>(tried)) / people);
    figure.high = std::max(figure.high, upper_limit(measurement, kTail) / people);
  }
  return figure;
}

}  // namespace facemae
