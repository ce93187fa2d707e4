#pragma once
// 95 % intervals of proportions, on Boost.Math.
#include <cstdint>
#include <span>

#include "evaluation/statistics/figure.h"

namespace facemae {

/// Exact binomial interval (Clopper and Pearson 1934), also of fractions of trials.
Figure clopper_pearson(double hits, double trials);

/// sum(hits) / sum(trials) over probes, with Clopper-Pearson's interval of the effective number of trials:
/// pictures of one person are not independent, so their number is divided by the design effect that the
/// people show, and lowered for few people (Korn and Graubard 1998). Where fewer than 40 effective hits or
/// misses say little about that effect, the number is never above that of the people. NaN without trials.
Figure interval_by_person(std::span<const double> hits, std::span<const double> trials,
                          std::span<const std::int64_t> person);

/// How many people have a trial.
std::int64_t people_tried(std::span<const double> trials, std::span<const std::int64_t> person);
/// An interval that rests on fewer people is told as such.
inline constexpr std::int64_t kFewPeople = 20;

}  // namespace facemae
