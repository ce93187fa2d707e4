#include "evaluation/statistics/maximum.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

bool was_tried(const Measurement& measurement) {
  return std::any_of(measurement.tallies.begin(), measurement.tallies.end(),
                     [](const Tally& tally) { return tally.trials > 0; });
}

double odds(const Measurement& measurement) {
  double hits = 0, trials = 0;
  for (const Tally& tally : measurement.tallies) hits += tally.hits, trials += tally.trials;
  return hits / trials / static_cast<double>(measurement.people_per_class);
}

}  // namespace

const Measurement* worst_of(std::span<const Measurement> measurements) {
  const Measurement* worst = nullptr;
  for (const Measurement& measurement : measurements)
    if (was_tried(measurement) && (worst == nullptr || odds(measurement) > odds(*worst)))
      worst = &measurement;
  return worst;
}

Figure interval_of_maximum(std::span<const Measurement> measurements) {
  const Measurement* worst = worst_of(measurements);
  if (worst == nullptr) return {std::numeric_limits<double>::quiet_NaN(), 0, 1};
  const auto tried = std::count_if(measurements.begin(), measurements.end(), was_tried);
  Figure figure{odds(*worst), 0, 0};
  for (const Measurement& measurement : measurements) {
    if (!was_tried(measurement)) continue;
    const auto people = static_cast<double>(measurement.people_per_class);
    figure.low = std::max(figure.low, lower_limit(measurement, kTail / static_cast<double>(tried)) / people);
    figure.high = std::max(figure.high, upper_limit(measurement, kTail) / people);
  }
  return figure;
}

}  // namespace facemae
