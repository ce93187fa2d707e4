#pragma once
// Order statistics of a few measurements, and which of them fall behind.
#include <vector>

namespace facemae {

/// The smallest value that at least this part of all values (0 to 1) does not exceed (nearest rank); 0 of none.
double percentile(std::vector<double> values, double part);
/// The middle value, or the mean of both; 0 of none.
double median(std::vector<double> values);

/// Which of these speeds are below `part` of the median of the others: indices, ascending. Never one alone.
std::vector<int> slow_ones(const std::vector<double>& speeds, double part = 0.5);

}  // namespace facemae
