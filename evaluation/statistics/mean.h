#pragma once
// The mean of a few repeated measurements, with Student's 95 % interval.
#include <span>

#include "evaluation/statistics/figure.h"

namespace facemae {

/// value: the mean; low and high: Student's t interval of n - 1 degrees of freedom, not cut to 0..1. NaN limits for one
/// value, all NaN for none.
Figure interval_of_mean(std::span<const double> values);

}  // namespace facemae
