// Separable: each direction is area-averaged when it shrinks and bilinear when it grows.
#include "data/image/resize.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

/// Which source positions, from `first` on, make up one target position. The weights sum to 1.
struct Tap {
  int first = 0;
  std::vector<float> weights;
};

std::vector<Tap> taps(int from, int to) {
  std::vector<Tap> result(static_cast<std::size_t>(to));
  const double scale = static_cast<double>(from) / to;
  for (int i = 0; i < to; ++i) {
    Tap& tap = result[static_cast<std::size_t>(i)];
    if (scale > 1) {
      const double begin = i * scale, end = std::min<double>((i + 1) * scale, from);
      tap.first = static_cast<int>(begin);
      const int last = std::min(from - 1, static_cast<int>(std::ceil(end)) - 1);
      for (int s = tap.first; s <= last; ++s)
        tap.weights.push_back(
            static_cast<float>((std::min<double>(end, s + 1) - std::max<double>(begin, s)) / (end - begin)));
    } else {
      const double centre = std::clamp((i + 0.5) * scale - 0.5, 0.0, from - 1.0);
      tap.first = std::min(static_cast<int>(centre), std::max(0, from - 2));
      const auto right = static_cast<float>(centre - tap.first);
      tap.weights = from == 1 ? std::vector<float>{1} : std::vector<float>{1 - right, right};
    }
  }
  return result;
}

Image centre_square(const Image& image) {
  const int side = std::min(image.width, image.height);
  const auto left = static_cast<std::size_t>((image.width - side) / 2),
             top = static_cast<std::size_t>((image.height - side) / 2);
  const auto wide = static_cast<std::size_t>(side) * 3;
  Image square{side, side, {}};
  square.pixels.reserve(wide * static_cast<std::size_t>(side));
  for (std::size_t y = 0; y < static_cast<std::size_t>(side); ++y) {
    const auto from =
        image.pixels.begin() +
        static_cast<std::ptrdiff_t>(((top + y) * static_cast<std::size_t>(image.width) + left) * 3);
    square.pixels.insert(square.pixels.end(), from, from + static_cast<std::ptrdiff_t>(wide));
  }
  return square;
}

}  // namespace

Image fit_square(const Image& image, int side) {
  return image.width == image.height ? resize(image, side, side) : resize(centre_square(image), side, side);
}

Image resize(const Image& image, int width, int height) {
  if (width < 1 || height < 1 || image.width < 1 || image.height < 1)
    throw Error("resizing from or to an empty image");
  if (width == image.width && height == image.height) return image;
  const auto columns = taps(image.width, width), rows = taps(image.height, height);
  const std::size_t wide = static_cast<std::size_t>(width) * 3;
  std::vector<float> across(static_cast<std::size_t>(image.height) * wide, 0);
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* source =
        image.pixels.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) * 3;
    float* out = across.data() + static_cast<std::size_t>(y) * wide;
    for (const Tap& tap : columns) {
      for (std::size_t k = 0; k < tap.weights.size(); ++k)
        for (std::size_t c = 0; c < 3; ++c)
          out[c] += tap.weights[k] * source[(static_cast<std::size_t>(tap.first) + k) * 3 + c];
      out += 3;
    }
  }
  Image result{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(height) * wide)};
  std::vector<float> line(wide);
  for (int y = 0; y < height; ++y) {
    const Tap& tap = rows[static_cast<std::size_t>(y)];
    std::fill(line.begin(), line.end(), 0.0f);
    for (std::size_t k = 0; k < tap.weights.size(); ++k)
      for (std::size_t x = 0; x < wide; ++x)
        line[x] += tap.weights[k] * across[(static_cast<std::size_t>(tap.first) + k) * wide + x];
    for (std::size_t x = 0; x < wide; ++x)
      result.pixels[static_cast<std::size_t>(y) * wide + x] =
          static_cast<std::uint8_t>(std::clamp(line[x] + 0.5f, 0.0f, 255.0f));
  }
  return result;
}

}  // namespace facemae
