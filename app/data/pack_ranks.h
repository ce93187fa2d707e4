#pragma once
// A pack by all ranks of the world, for the commands that make stores.
#include "app/command.h"
#include "data/pack/pack.h"

namespace facemae {

/// Where the images of a pack come from.
struct PackedImages {
  /// Writes into OUT/packing what open() needs; the first rank, before the others open. Null: nothing.
  std::function<void()> list;
  std::function<std::unique_ptr<ImageSource>(bool first)> open;  ///< each rank
  std::function<std::unique_ptr<ImageSource>()> open_alone;      ///< without anything in OUT
};

/// Opens the world, locks config.out for `command`, and runs every phase on all ranks together; of a store that is
/// finished, the first rank looks at it alone. Ranks whose sources differ end with ConfigError. Rank 0 logs the
/// closing figures and writes them for --json. All ranks.
ExitCode pack_on_all_ranks(App& app, const std::string& command, const PackConfig& config,
                           const PackedImages& images);

}  // namespace facemae
