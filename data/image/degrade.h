#pragma once
// What cameras, networks and storage do to a picture: moved, blurred or sharpened, compressed. In place, on RGB images
// [side, side, 3].
#include <cstdint>
#include <span>
#include <vector>

#include "data/image/image.h"

namespace facemae {

/// Moves the picture by `right` and `down` pixels; beyond an edge its pixels repeat.
void shift(std::span<std::uint8_t> pixels, int side, int right, int down);

/// Working memory, kept from call to call.
struct BlurBuffers {
  std::vector<float> kernel, across, down;
};
/// Convolves with a Gaussian of `sigma` pixels, cut off at 3 sigma; beyond an edge its pixels repeat. What was lost, times
/// `gain`, is added: -1 leaves the blurred picture, 0 changes nothing, above 0 sharpens (unsharp mask).
void blur(std::span<std::uint8_t> pixels, int side, double sigma, double gain, BlurBuffers& working);

/// Encodes as JPEG of `quality` 1..100 with 4:2:0 and decodes it again.
void compress(std::span<std::uint8_t> pixels, int side, int quality, Decoder& decoder);

}  // namespace facemae
