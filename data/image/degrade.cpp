#include "data/image/degrade.h"

#include <algorithm>
#include <cmath>

namespace facemae {
namespace {

/// Weights of the pixels at distance 0, 1, ... from the middle.
void gaussian(double sigma, std::vector<float>& kernel) {
  const int reach = std::max(1, static_cast<int>(std::ceil(3 * sigma)));
  kernel.assign(static_cast<std::size_t>(reach) + 1, 0);
  double sum = 0;
  for (int i = 0; i <= reach; ++i) sum += (i == 0 ? 1 : 2) * std::exp(-i * i / (2 * sigma * sigma));
  for (int i = 0; i <= reach; ++i)
    kernel[static_cast<std::size_t>(i)] = static_cast<float>(std::exp(-i * i / (2 * sigma * sigma)) / sum);
}

/// `in` convolved along one direction: `step` values lie between neighbours, `across` between lines.
template <class T>
void convolve(std::span<const T> in, int side, int step, int across, const std::vector<float>& kernel,
              std::vector<float>& out) {
  const int reach = static_cast<int>(kernel.size()) - 1;
  out.resize(in.size());
  for (int line = 0; line < side; ++line)
    for (int at = 0; at < side; ++at)
      for (int c = 0; c < 3; ++c) {
        const auto value = [&](int place) {
          return static_cast<float>(
              in[static_cast<std::size_t>(line * across + std::clamp(place, 0, side - 1) * step + c)]);
        };
        float sum = kernel[0] * value(at);
        for (int i = 1; i <= reach; ++i)
          sum += kernel[static_cast<std::size_t>(i)] * (value(at - i) + value(at + i));
        out[static_cast<std::size_t>(line * across + at * step + c)] = sum;
      }
}

}  // namespace

void shift(std::span<std::uint8_t> pixels, int side, int right, int down) {
  const std::vector<std::uint8_t> before(pixels.begin(), pixels.end());
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const int from = std::clamp(y - down, 0, side - 1) * side + std::clamp(x - right, 0, side - 1);
      for (int c = 0; c < 3; ++c)
        pixels[static_cast<std::size_t>((y * side + x) * 3 + c)] =
            before[static_cast<std::size_t>(from * 3 + c)];
    }
}

void blur(std::span<std::uint8_t> pixels, int side, double sigma, double gain, BlurBuffers& working) {
  gaussian(sigma, working.kernel);
  convolve(std::span<const std::uint8_t>(pixels), side, 3, 3 * side, working.kernel, working.across);
  convolve(std::span<const float>(working.across), side, 3 * side, 3, working.kernel, working.down);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const auto before = static_cast<float>(pixels[i]);
    const float after = before + static_cast<float>(gain) * (before - working.down[i]);
    pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(after, 0.0F, 255.0F)));
  }
}

void compress(std::span<std::uint8_t> pixels, int side, int quality, Decoder& decoder) {
  const auto encoded = encode_jpeg({side, side, {pixels.begin(), pixels.end()}}, quality);
  decoder.decode_into(encoded, side, side, pixels);
}

}  // namespace facemae
