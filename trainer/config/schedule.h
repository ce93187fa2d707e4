#pragma once
// Learning rates as pure functions of images seen, so that they do not depend on ranks,
// restarts or accumulation.
#include <cstdint>
#include <string>
#include <vector>

namespace facemae {

struct Schedule {
  std::string kind =
      "cosine";  ///< cosine (to zero) | polynomial (linear to zero) | multistep (x 0.1) | constant
  double peak = 1e-3;
  std::uint64_t total_images = 1;
  double warmup = 0;                             ///< fraction of the run: linear from zero
  std::vector<double> milestones = {0.6, 0.85};  ///< multistep: fractions of the run

  /// The rate for the optimizer step that follows `images` images.
  double at(std::uint64_t images) const;
};
std::vector<std::string> schedule_names();

}  // namespace facemae
