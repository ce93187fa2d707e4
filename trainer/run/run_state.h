#pragma once
// What a resume needs beyond tensors and the number of samples consumed.
#include <cstdint>
#include <string>
#include <vector>

#include "data/loader/loader.h"

namespace facemae {

/// Everything beyond tensors and the samples consumed that a resume needs.
struct RunState {
  std::uint64_t skipped = 0, skipped_in_row = 0;
  double automatic_weight = 0;
  double linkage_weight = 0;  ///< not written where it is 0, as in older versions
  std::vector<Quarantined> quarantine;
  std::string to_json() const;
  static RunState from_json(const std::string& text);  ///< throws CheckpointError
};

}  // namespace facemae
