#include "cluster/host/core_share.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace facemae {

CoreShare core_share(std::span<const CoreMask> masks, std::size_t mine) {
  const CoreMask& own = masks[mine];
  double cores = 0;
  bool shared = false;
  for (std::size_t core = 0; core < own.size(); ++core) {
    if (!own[core]) continue;
    const auto users =
        std::count_if(masks.begin(), masks.end(), [&](const auto& mask) { return mask[core]; });
    shared = shared || users > 1;
    cores += 1.0 / static_cast<double>(users);
  }
  const bool equal = std::all_of(masks.begin(), masks.end(), [&](const auto& mask) { return mask == own; });
  constexpr double kRounding = 1e-9;  // three thirds of a core are one
  return {.kind = !shared ? CoreShare::Kind::Own
                  : equal ? CoreShare::Kind::Shared
                          : CoreShare::Kind::Overlapping,
          .cores = std::max(1, static_cast<int>(std::floor(cores + kRounding)))};
}

CoreMask divided_cores(std::span<const CoreMask> masks, std::size_t mine) {
  std::vector<CoreMask> given(masks.size());
  std::vector<std::size_t> missing(masks.size());  // of the rank's share
  for (std::size_t rank = 0; rank < masks.size(); ++rank)
    missing[rank] = static_cast<std::size_t>(core_share(masks, rank).cores);
  // First the cores that one rank alone may use, then the others.
  for (const bool of_one : {true, false})
    for (std::size_t core = 0; core < CoreMask().size(); ++core) {
      const auto users =
          std::count_if(masks.begin(), masks.end(), [&](const auto& mask) { return mask[core]; });
      if (of_one != (users == 1)) continue;
      for (std::size_t rank = 0; rank < masks.size(); ++rank) {
        if (!masks[rank][core] || missing[rank] == 0) continue;
        given[rank].set(core);
        --missing[rank];
        break;
      }
    }
  return given[mine].any() ? given[mine] : masks[mine];
}

}  // namespace facemae
