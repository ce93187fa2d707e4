#pragma once
// Intervals of proportions and their one-sided limits, on Boost.Math. People are the unit: pictures of one person are
// found or missed together.
#include <cstdint>
#include <span>

#include "evaluation/statistics/figure.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

inline constexpr double kTail = 0.025;  ///< on each side of a 95 % interval

/// Exact binomial 95 % interval (Clopper and Pearson 1934), also of fractions of trials.
Figure clopper_pearson(double hits, double trials);
/// One side of it: the limit that the truth is beyond with probability `alpha` at most. 1 and 0 without trials.
double exact_upper(double hits, double trials, double alpha);
double exact_lower(double hits, double trials, double alpha);

/// sum(hits) / sum(trials) over probes, with Clopper-Pearson's interval of the effective number of trials:
/// pictures of one person are not independent, so their number is divided by the design effect that the
/// people show, and lowered for few people (Korn and Graubard 1998). Where fewer than 40 effective hits or
/// misses say little about that effect, the number is never above that of the people (of the people with equally
/// many trials who would tell as much: Kish 1965). NaN without trials.
Figure interval_by_person(std::span<const double> hits, std::span<const double> trials,
                          std::span<const std::int64_t> person);

/// The same of tallies; those that are found together count as one person.
Figure interval_by_person(std::span<const Tally> tallies);

/// The same of a value in 0..1 whose variance over draws of people is known by other means.
Figure interval_of_spread(double value, double variance, double people, double trials);

/// One-sided limits of hits / trials: Clopper-Pearson's with people_effective() trials, so that many pictures of a person
/// never count as more people. What a verdict rests on.
double upper_limit(const Measurement& measurement, double alpha);
double lower_limit(const Measurement& measurement, double alpha);

/// How many people, each worth one independent trial, would tell as much: never more than there are people.
double people_effective(const Measurement& measurement);

/// How many people have a trial.
std::int64_t people_tried(std::span<const double> trials, std::span<const std::int64_t> person);
/// An interval that rests on fewer people is told as such.
inline constexpr std::int64_t kFewPeople = 20;

}  // namespace facemae
