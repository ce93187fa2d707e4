#include "trainer/config/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/kinds.h"

namespace facemae {

namespace {

double cosine(const Schedule& s, double /*done*/, double rest) {
  return s.peak * 0.5 * (1 + std::cos(std::numbers::pi * rest));
}
double polynomial(const Schedule& s, double /*done*/, double rest) {
  return s.peak * std::pow(1 - rest, s.power);
}
double multistep(const Schedule& s, double done, double /*rest*/) {
  const auto passed = std::count_if(s.milestones.begin(), s.milestones.end(),
                                    [&](double milestone) { return done >= milestone; });
  return s.peak * std::pow(s.gamma, static_cast<double>(passed));
}
double constant(const Schedule& s, double /*done*/, double /*rest*/) { return s.peak; }

constexpr ScheduleKind kSchedules[] = {
    {"cosine", "fall to zero along half a cosine", cosine},
    {"polynomial", "fall to zero, linearly or by --power", polynomial},
    {"multistep", "fall by --gamma at each of --milestones", multistep},
    {"constant", "stay at the peak", constant},
};

}  // namespace

std::span<const ScheduleKind> schedule_kinds() { return kSchedules; }

double Schedule::at(std::uint64_t images) const {
  const double done = std::min(
      1.0, static_cast<double>(images) / static_cast<double>(std::max<std::uint64_t>(1, total_images)));
  if (done < warmup) return peak * done / warmup;
  const double rest = warmup < 1 ? (done - warmup) / (1 - warmup) : 1;
  return row_of(kSchedules, kind, "choosing the learning rate's schedule").rate(*this, done, rest);
}

}  // namespace facemae
