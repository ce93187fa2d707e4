#include "trainer/config/save_schedule.h"

#include <algorithm>
#include <cmath>

namespace facemae {

double daly_interval(double cost, double mtbf) {
  if (cost >= 2 * mtbf) return mtbf;
  const double x = cost / (2 * mtbf);
  return std::sqrt(2 * cost * mtbf) * (1 + std::sqrt(x) / 3 + x / 9) - cost;
}

bool SaveSchedule::due(const Moment& m) const {
  if (m.step == m.last_save_step) return false;
  if (every_steps > 0 && m.step / every_steps != m.last_save_step / every_steps) return true;
  if (every_seconds && m.since_save >= *every_seconds) return true;
  if (!mtbf_seconds) return false;
  constexpr double kUntilMeasured = 60;  // the first save tells what one costs
  if (m.saves == 0) return m.since_save >= kUntilMeasured;
  const double cost = std::max(0.001, m.stalled / static_cast<double>(m.saves));
  return m.since_save >= std::max(daly_interval(cost, *mtbf_seconds), 2 * m.save_seconds);
}

double seconds_to_stop(double save_seconds, double step_seconds) {
  return 60 + 1.5 * save_seconds + step_seconds;
}

}  // namespace facemae
