#pragma once
// A pack by all ranks of the world, for the commands that make stores.
#include "app/command.h"
#include "data/pack/pack.h"

namespace facemae {

/// Opens the world, locks config.out for `command`, and runs every phase on all ranks together. `source` is
/// made on each rank; ranks whose sources differ end with ConfigError. Rank 0 logs the closing figures and
/// writes them for --json. All ranks.
ExitCode pack_on_all_ranks(App& app, const std::string& command, const PackConfig& config,
                           const std::function<std::unique_ptr<ImageSource>()>& source);

}  // namespace facemae
