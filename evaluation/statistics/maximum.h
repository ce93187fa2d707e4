#pragma once
// The interval of the worst attack: who picks the highest of many figures must not read its own interval alone.
#include <span>

#include "evaluation/statistics/measurement.h"

namespace facemae {

/// The highest naming odds of all `measurements`, with a 95 % interval for the highest true odds. Controls and membership do
/// not count. NaN without measurements that have trials.
///
/// low: the highest of the lower limits, each at 0.025 divided by their number, so all of them hold together.
/// high: the highest of the upper limits at 0.025. The worst attack's own upper limit is among them, so they need no
/// correction (the argument of intersection-union tests, Berger 1982).
/// Both hold whatever the attacks share, near 0 too. A percentile bootstrap of the maximum does not:
/// docs/METHOD.md, "Intervals".
Figure interval_of_maximum(std::span<const Measurement> measurements);

/// The measurement with the highest naming odds; nullptr without any that has trials.
const Measurement* strongest(std::span<const Measurement> measurements);

}  // namespace facemae
