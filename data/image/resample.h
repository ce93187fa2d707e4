#pragma once
// Resampling of float pictures by the kernels that image libraries name so.
#include <vector>

namespace facemae {

enum class Resampling {
  Nearest,
  Linear,   ///< two neighbours, also when it shrinks
  Area,     ///< mean of what a pixel covers; as Linear when it grows
  Cubic,    ///< Keys' kernel with a = -0.75
  Lanczos,  ///< of order 4
};
inline constexpr int kResamplings = 5;

/// Working memory, kept from call to call.
struct ResampleBuffers {
  std::vector<int> from;
  std::vector<float> weights, rows, turned, columns;
};

/// Square picture [from, from, 3] to [to, to, 3]; beyond the edge the edge's pixels repeat. Values may
/// overshoot their range with Cubic and Lanczos.
void resample(const std::vector<float>& in, int from, std::vector<float>& out, int to, Resampling kind,
              ResampleBuffers& working);

}  // namespace facemae
