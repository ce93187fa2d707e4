#pragma once
// Tells the version of this program, as checkpoints and releases record it.
#include <string>

namespace facemae {

/// "0.1.0".
std::string program_version();

}  // namespace facemae
