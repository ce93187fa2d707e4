#pragma once
// Where the numbers of the public implementations lie (numbers/README.md says how they came about).
#include <cstdlib>
#include <string>

#include "core/files/files.h"

namespace facemae {

inline Path golden_file(const std::string& name) {
  const char* source = std::getenv("FACEMAE_SOURCE");  // set by CTest
  return Path(source != nullptr ? source : ".") / "tests/golden/numbers" / name;
}

}  // namespace facemae
