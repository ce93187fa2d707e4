#pragma once
// Versions of what a run is made of.
#include <string>

namespace facemae {

std::string libtorch_version();  ///< "2.11.0, AVX512": with the SIMD capability that it picked

}  // namespace facemae
