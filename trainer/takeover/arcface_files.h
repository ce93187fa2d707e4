#pragma once
// The files that a run of insightface's arcface_torch leaves in its output folder.
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// By rank of that run, each list without gaps.
struct ArcfaceFiles {
  std::vector<Path> whole;    ///< checkpoint_gpu_R.pt, of runs with save_all_states; else:
  Path backbone;              ///< model.pt or backbone.pth
  std::vector<Path> centres;  ///< rank_R_softmax_weight.pt
  std::vector<Path> momenta;  ///< rank_R_softmax_weight_mom.pt; none, or as many
};

/// Those of checkpoint_gpu_R.pt where there are any. Throws ConfigError naming what is missing.
ArcfaceFiles find_arcface_files(const Path& folder);

}  // namespace facemae
