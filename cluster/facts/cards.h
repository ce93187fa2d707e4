#pragma once
// GPUs as CUDA's driver and NVML tell of them; both are loaded when asked for, so no machine needs them.

#include <string>
#include <vector>

#include "cluster/facts/facts.h"

namespace facemae {

/// The cards that this process sees; none without a driver. Pairs without direct access to each other go to `apart`.
/// Makes no context.
std::vector<Card> cards_of_driver(std::vector<std::string>& apart);

}  // namespace facemae
