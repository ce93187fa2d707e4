#include "data/image/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/random/keys.h"
#include "data/image/resample.h"

namespace facemae {
namespace {

/// The second counter of Purpose::Augment. It is part of the run format, as purposes are.
enum class Stage : std::uint64_t {
  Crop = 0,
  LowResolution = 1,
  Photometric = 2,
  Shift = 3,
  Sharpen = 4,
  Blur = 5,
  Jpeg = 6
};

Draws draws_of(std::uint64_t seed, std::uint64_t ordinal, Stage stage) {
  return Draws(key_of(seed, Purpose::Augment, ordinal, static_cast<std::uint64_t>(stage)));
}

std::uint8_t to_byte(float value) {
  // lround, called for each value, would cost more than everything else; no value is negative here.
  // NOLINTNEXTLINE(bugprone-incorrect-roundings)
  return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F) + 0.5F);
}

struct Rectangle {
  int left = 0, top = 0, width = 0, height = 0;
};

/// Tries ten times, like torchvision's RandomResizedCrop; the whole picture if none fits.
Rectangle draw_rectangle(Draws& draws, int side) {
  const double area = static_cast<double>(side) * side;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double size = draws.uniform(0.2, 1) * area;
    const double shape = std::exp(draws.uniform(std::log(3.0 / 4), std::log(4.0 / 3)));
    const int width = static_cast<int>(std::lround(std::sqrt(size * shape))),
              height = static_cast<int>(std::lround(std::sqrt(size / shape)));
    if (width < 1 || height < 1 || width > side || height > side) continue;
    const auto place = [&](int length) {
      return static_cast<int>(draws.below(static_cast<std::uint64_t>(side - length + 1)));
    };
    const int top = place(height), left = place(width);
    return {left, top, width, height};
  }
  return {0, 0, side, side};
}

void blacken_outside(std::span<std::uint8_t> pixels, int side, const Rectangle& kept) {
  for (int y = 0; y < side; ++y) {
    const auto row =
        pixels.subspan(static_cast<std::size_t>(y * side * 3), static_cast<std::size_t>(side * 3));
    const bool inside = y >= kept.top && y < kept.top + kept.height;
    const auto begin = static_cast<std::size_t>(inside ? kept.left * 3 : 0),
               end = static_cast<std::size_t>(inside ? (kept.left + kept.width) * 3 : 0);
    std::fill(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(begin), std::uint8_t{0});
    std::fill(row.begin() + static_cast<std::ptrdiff_t>(end), row.end(), std::uint8_t{0});
  }
}

/// ITU-R 601 luma.
float grey(float red, float green, float blue) { return 0.299F * red + 0.587F * green + 0.114F * blue; }

float mean_grey(std::span<const std::uint8_t> pixels) {
  std::array<std::uint64_t, 3> sums{};
  for (std::size_t i = 0; i < pixels.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) sums[c] += pixels[i + c];
  const auto mean = [&](std::size_t c) {
    return static_cast<float>(3.0 * static_cast<double>(sums[c]) / static_cast<double>(pixels.size()));
  };
  return std::round(grey(mean(0), mean(1), mean(2)));
}

/// Moves every value away from `base` (factor > 1) or towards it: brightness about 0, contrast about a grey.
void spread(std::span<std::uint8_t> pixels, float factor, float base) {
  std::array<std::uint8_t, 256> moved{};
  for (std::size_t value = 0; value < moved.size(); ++value)
    moved[value] = to_byte(base + (static_cast<float>(value) - base) * factor);
  for (std::uint8_t& value : pixels) value = moved[value];
}

/// Moves every pixel away from its own grey, or towards it.
void saturate(std::span<std::uint8_t> pixels, float factor) {
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    const float red = pixels[i], green = pixels[i + 1], blue = pixels[i + 2];
    const float base = grey(red, green, blue) * (1 - factor);
    pixels[i] = to_byte(base + red * factor);
    pixels[i + 1] = to_byte(base + green * factor);
    pixels[i + 2] = to_byte(base + blue * factor);
  }
}

void jitter(std::span<std::uint8_t> pixels, Draws& draws) {
  std::array<int, 3> sequence{0, 1, 2};
  for (std::size_t i = 3; i > 1; --i) std::swap(sequence[i - 1], sequence[draws.below(i)]);
  std::array<float, 3> factors{};
  for (float& factor : factors) factor = static_cast<float>(draws.uniform(0.5, 1.5));
  for (const int which : sequence) {
    const float factor = factors[static_cast<std::size_t>(which)];
    if (which == 0) spread(pixels, factor, 0);
    if (which == 1) spread(pixels, factor, mean_grey(pixels));
    if (which == 2) saturate(pixels, factor);
  }
}

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

void Augmenter::apply(std::span<std::uint8_t> pixels, int side, const AugmentConfig& config,
                      std::uint64_t seed, std::uint64_t ordinal) {
  if (Draws draws = draws_of(seed, ordinal, Stage::Crop); draws.uniform() < config.crop)
    blacken_outside(pixels, side, draw_rectangle(draws, side));

  if (Draws draws = draws_of(seed, ordinal, Stage::LowResolution); draws.uniform() < config.low_resolution) {
    const int small = std::max(1, static_cast<int>(draws.uniform(0.2, 1) * side));
    const auto kind = [&] { return static_cast<Resampling>(draws.below(kResamplings)); };
    const Resampling down = kind(), up = kind();
    wide_.assign(pixels.begin(), pixels.end());
    resample(wide_, side, small_, small, down, working_);
    for (float& value : small_) value = static_cast<float>(to_byte(value));
    resample(small_, small, wide_, side, up, working_);
    std::transform(wide_.begin(), wide_.end(), pixels.begin(), to_byte);
  }

  if (Draws draws = draws_of(seed, ordinal, Stage::Photometric); draws.uniform() < config.photometric)
    jitter(pixels, draws);

  degrade(pixels, side, config, seed, ordinal);
}

void Augmenter::degrade(std::span<std::uint8_t> pixels, int side, const AugmentConfig& config,
                        std::uint64_t seed, std::uint64_t ordinal) {
  const double pixel = side / 112.0;
  if (Draws draws = draws_of(seed, ordinal, Stage::Shift); draws.uniform() < config.shift) {
    const int most = side / 28;
    const auto way = [&] {
      return static_cast<int>(draws.below(static_cast<std::uint64_t>(2 * most + 1))) - most;
    };
    const int right = way(), down = way();
    shift(pixels, side, right, down);
  }
  if (Draws draws = draws_of(seed, ordinal, Stage::Sharpen); draws.uniform() < config.sharpen) {
    const double radius = draws.uniform(0.5, 1.5) * pixel;
    blur(pixels, side, radius, draws.uniform(0.5, 2), blurring_);
  }
  if (Draws draws = draws_of(seed, ordinal, Stage::Blur); draws.uniform() < config.blur)
    blur(pixels, side, draws.uniform(0.3, 1.5) * pixel, -1, blurring_);
  if (Draws draws = draws_of(seed, ordinal, Stage::Jpeg); draws.uniform() < config.jpeg)
    compress(pixels, side, 30 + static_cast<int>(draws.below(66)), decoder_);
}

}  // namespace facemae
