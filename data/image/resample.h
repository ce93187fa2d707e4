#pragma once
// Resamples float pictures with the kernels that image libraries know by these names.
#include <vector>

namespace facemae {

enum class Resampling {
  Nearest,
  Linear,   ///< two neighbours, also when shrinking
  Area,     ///< mean of what a pixel covers; like Linear when enlarging
  Cubic,    ///< Keys' kernel with a = -0.75
  Lanczos,  ///< of order 4
};
inline constexpr int kResamplings = 5;

/// Working memory, kept from call to call.
struct ResampleBuffers {
  std::vector<int> from;
  std::vector<float> weights, rows, turned, columns;
};

/// Resamples a square picture [from, from, 3] to [to, to, 3]; beyond an edge its pixels repeat. Values may
/// overshoot their range with Cubic and Lanczos.
void resample(const std::vector<float>& in, int from, std::vector<float>& out, int to, Resampling kind,
              ResampleBuffers& working);

}  // namespace facemae
