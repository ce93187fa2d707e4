#include "core/program_version.h"

namespace facemae {

std::string program_version() { return FACEMAE_VERSION; }

}  // namespace facemae
