#include "trainer/config/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace facemae {

std::vector<std::string> schedule_names() { return {"cosine", "polynomial", "multistep", "constant"}; }

double Schedule::at(std::uint64_t images) const {
  const double done = std::min(
      1.0, static_cast<double>(images) / static_cast<double>(std::max<std::uint64_t>(1, total_images)));
  if (done < warmup) return peak * done / warmup;
  const double rest = warmup < 1 ? (done - warmup) / (1 - warmup) : 1;
  if (kind == "cosine") return peak * 0.5 * (1 + std::cos(std::numbers::pi * rest));
  if (kind == "polynomial") return peak * (1 - rest);
  if (kind == "multistep")
    return peak * std::pow(0.1, static_cast<double>(
                                    std::count_if(milestones.begin(), milestones.end(),
                                                  [&](double milestone) { return done >= milestone; })));
  return peak;
}

}  // namespace facemae
