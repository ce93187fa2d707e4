#pragma once
// Determines which part of a pack a rank has, and what that part tells about the whole.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/progress.h"

namespace facemae {

using Numbers = std::vector<std::uint64_t>;

/// Every ranks-th of them: who does what is a function of what is left to do.
Numbers share_of(const Numbers& all, int rank, int ranks);
/// Those of 0..count-1 that are not in `done`, ascending.
Numbers missing_from(const Numbers& done, std::uint64_t count);

/// The progress of all ranks, as far as one rank's share shows it.
class ShareProgress {
 public:
  /// `total` images, of which `done` existed before; this rank does own_units of the `units`
  /// that are left.
  ShareProgress(const std::string& what, std::uint64_t total, std::uint64_t done, std::size_t units,
                std::size_t own_units, int ranks, bool show);
  void advance(std::uint64_t own_images);
  void finish();

 private:
  Progress progress_;
  double scale_;
  std::uint64_t most_, own_ = 0, shown_ = 0;
  std::string note_;
};

}  // namespace facemae
