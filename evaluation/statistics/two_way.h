#pragma once
// Intervals of figures over pairs of people: false accepts, thresholds that rest on them, distances of distributions.
// A person is in many pairs, so pairs are drawn by drawing people.
#include <cstdint>
#include <functional>
#include <span>

#include "evaluation/statistics/figure.h"

namespace facemae {

/// A figure in 0..1 for weights of the people, each 0 or 2: a pair (a, b) counts w_a w_b times, what belongs to one
/// person w_a times. It computes everything anew, its thresholds too. NaN when the drawn people do not allow it.
using WeightedFigure = std::function<double(std::span<const double> weights)>;

/// `value`, with the 95 % interval by "double or nothing" draws of people (Owen and Eckles 2012): the variance over the
/// draws gives the effective number of trials of an exact interval (interval_of_spread), so it also holds near 0 and 1.
/// Pure in its arguments. `trials`: of the figure, which bound the effective number.
Figure two_way_interval(double value, std::int64_t people, double trials, const WeightedFigure& figure,
                        std::uint64_t seed = 0);

}  // namespace facemae
