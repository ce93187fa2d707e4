#pragma once
// Which cores a rank has to itself, by the masks of all ranks of its node.
#include <cstddef>
#include <span>

#include "core/host.h"

namespace facemae {

struct CoreShare {
  /// Own: no other rank may run on its cores. Shared: all ranks of the node have the same. Overlapping: some of each.
  enum class Kind { Own, Shared, Overlapping } kind = Kind::Own;
  /// Cores of its own, and its part of those that others may use as well; at least 1.
  int cores = 1;
};

/// Pure. masks[r]: of the r-th rank of the node. A core that n ranks may use counts 1/n for each of them.
CoreShare core_share(std::span<const CoreMask> masks, std::size_t mine);

/// Pure. Cores for processes that the rank starts, of those it may use: as many as its share, in one piece where
/// masks are equal, and none that another rank gets. All that it may use where none is left for it.
CoreMask divided_cores(std::span<const CoreMask> masks, std::size_t mine);

}  // namespace facemae
