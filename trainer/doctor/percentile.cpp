#include "trainer/doctor/percentile.h"

#include <algorithm>
#include <cmath>

namespace facemae {

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(part * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::clamp(rank, 1.0, static_cast<double>(values.size()))) - 1];
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::vector<int> slow_ones(const std::vector<double>& speeds, double part) {
  std::vector<int> slow;
  for (std::size_t i = 0; i < speeds.size(); ++i) {
    std::vector<double> others = speeds;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    if (speeds[i] < part * median(std::move(others))) slow.push_back(static_cast<int>(i));
  }
  return slow;
}

}  // namespace facemae
