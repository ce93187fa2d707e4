#pragma once
// Augments images for recognition in the manner of AdaFace (Kim, Jain, Liu 2022, arXiv 2204.00964; the recipe
// is in dataset/image_folder_dataset.py of github.com/mk-minchul/AdaFace: each with probability 0.2, in this
// order), and further for rebuilt faces, which are smooth and have seams between patches at places that never change.
// All are pure functions of (seed, ordinal). Not for pretraining: aligned faces must stay aligned.
#include <cstdint>
#include <span>
#include <vector>

#include "data/image/image.h"
#include "data/image/resample.h"

namespace facemae {

/// Probabilities.
struct AugmentConfig {
  /// A rectangle of 0.2 to 1 of the area and 3:4 to 4:3 in shape stays where it is, and the rest becomes
  /// black: what AdaFace calls a crop.
  double crop = 0;
  /// Shrunk to 0.2 to 1 of the side and enlarged again, each by nearest, linear, area, cubic
  /// or Lanczos resampling.
  double low_resolution = 0;
  /// Brightness, contrast and saturation, each by a factor of 0.5 to 1.5, in random order.
  double photometric = 0;
  /// Moved by up to a 28th of the side (4 pixels of 112) in both directions: seams are no longer where they were.
  double shift = 0;
  /// Sharpened by an unsharp mask of radius 0.5 to 1.5 pixels (of 112) and amount 0.5 to 2.
  double sharpen = 0;
  /// Blurred by a Gaussian of 0.3 to 1.5 pixels (of 112).
  double blur = 0;
  /// Compressed as JPEG of quality 30 to 95.
  double jpeg = 0;
  bool any() const {
    return crop > 0 || low_resolution > 0 || photometric > 0 || shift > 0 || sharpen > 0 || blur > 0 ||
           jpeg > 0;
  }
};

// What cameras, networks and storage do to an RGB image [side, side, 3], in place.

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

/// One per thread, because it keeps its buffers.
class Augmenter {
 public:
  /// Changes an RGB image [side, side, 3] in place.
  void apply(std::span<std::uint8_t> pixels, int side, const AugmentConfig& config, std::uint64_t seed,
             std::uint64_t ordinal);

 private:
  void degrade(std::span<std::uint8_t> pixels, int side, const AugmentConfig& config, std::uint64_t seed,
               std::uint64_t ordinal);

  std::vector<float> wide_, small_;
  ResampleBuffers working_;
  BlurBuffers blurring_;
  Decoder decoder_;
};

}  // namespace facemae
