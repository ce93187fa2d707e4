#pragma once
// Learning rates as pure functions of images seen, so that they do not depend on ranks,
// restarts or accumulation.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace facemae {

struct Schedule {
  std::string kind = "cosine";  ///< a name of schedule_kinds()
  double peak = 1e-3;
  std::uint64_t total_images = 1;
  double warmup = 0;                             ///< fraction of the run: linear from zero
  std::vector<double> milestones = {0.6, 0.85};  ///< multistep: fractions of the run
  double gamma = 0.1;                            ///< multistep: factor at a milestone
  double power = 1;                              ///< polynomial: of what is left after the warm-up

  /// The rate for the optimizer step that follows `images` images.
  double at(std::uint64_t images) const;
};

/// A row of the table of schedules, which is in schedule.cpp.
struct ScheduleKind {
  const char* name;
  const char* help;
  /// The rate at `done` of the run (0 to 1), which is `rest` of what follows the warm-up.
  double (*rate)(const Schedule& schedule, double done, double rest);
};
std::span<const ScheduleKind> schedule_kinds();

}  // namespace facemae
