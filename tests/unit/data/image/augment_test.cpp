#include "data/image/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "data/image/resample.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

constexpr int kSide = 32;

std::vector<std::uint8_t> original() { return test_images::picture(3, kSide).pixels; }

std::vector<std::uint8_t> augmented(const AugmentConfig& config, std::uint64_t ordinal,
                                    std::uint64_t seed = 1) {
  auto pixels = original();
  Augmenter().apply(pixels, kSide, config, seed, ordinal);
  return pixels;
}

TEST(Augment, IsAFunctionOfSeedAndOrdinalAlone) {
  const AugmentConfig all{
      .crop = 1, .low_resolution = 1, .photometric = 1, .shift = 1, .sharpen = 1, .blur = 1, .jpeg = 1};
  Augmenter used;
  std::set<std::vector<std::uint8_t>> different;
  for (std::uint64_t ordinal = 0; ordinal < 20; ++ordinal) {
    auto pixels = original();
    used.apply(pixels, kSide, all, 1, ordinal);
    EXPECT_EQ(pixels, augmented(all, ordinal));
    different.insert(pixels);
  }
  EXPECT_EQ(different.size(), 20u);
  EXPECT_NE(augmented(all, 0, 1), augmented(all, 0, 2));
}

TEST(Augment, ComesAsOftenAsItsProbabilitySays) {
  for (const auto& [config, expected] : {std::pair{AugmentConfig{.crop = 0.2}, 0.2},
                                         {{.low_resolution = 0.2}, 0.2},
                                         {{.photometric = 0.3}, 0.3},
                                         {{.jpeg = 0.3}, 0.3},
                                         {{}, 0.0}}) {
    int changed = 0;
    for (std::uint64_t ordinal = 0; ordinal < 2000; ++ordinal)
      changed += augmented(config, ordinal) != original();
    EXPECT_NEAR(changed / 2000.0, expected, 0.03);  // three standard deviations, and crops of everything
  }
}

TEST(Augment, BlursSharpensAndMovesAsOftenAsItsProbabilitySays) {
  constexpr int side = 112;
  std::vector<std::uint8_t> rough(side * side * 3);
  for (std::size_t i = 0; i < rough.size(); ++i) rough[i] = static_cast<std::uint8_t>(64 + i * i % 127);
  for (const AugmentConfig& config :
       {AugmentConfig{.shift = 0.5}, AugmentConfig{.sharpen = 0.5}, AugmentConfig{.blur = 0.5}}) {
    int changed = 0;
    for (std::uint64_t ordinal = 0; ordinal < 200; ++ordinal) {
      auto pixels = rough;
      Augmenter().apply(pixels, side, config, 1, ordinal);
      changed += pixels != rough;
    }
    EXPECT_NEAR(changed / 200.0, 0.5, 0.11);  // three standard deviations
  }
}

TEST(Augment, ACropKeepsARectangleInItsPlaceAndBlackensTheRest) {
  const auto before = original();
  double kept_area = 0;
  for (std::uint64_t ordinal = 0; ordinal < 300; ++ordinal) {
    const auto after = augmented({.crop = 1}, ordinal);
    int left = kSide, right = -1, top = kSide, bottom = -1;
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x) {
        const auto at = static_cast<std::size_t>((y * kSide + x) * 3);
        if (after[at] == 0 && after[at + 1] == 0 && after[at + 2] == 0) continue;
        for (std::size_t c = 0; c < 3; ++c) ASSERT_EQ(after[at + c], before[at + c]);
        left = std::min(left, x), right = std::max(right, x), top = std::min(top, y),
        bottom = std::max(bottom, y);
      }
    const int width = right - left + 1, height = bottom - top + 1;
    int inside = 0;
    for (int y = top; y <= bottom; ++y)
      for (int x = left; x <= right; ++x)
        inside += after[static_cast<std::size_t>((y * kSide + x) * 3 + 2)] > 0;
    EXPECT_EQ(inside, width * height) << "blue is never 0 in this picture, so the rectangle has no holes";
    const double area = width * height / static_cast<double>(kSide * kSide);
    EXPECT_GT(area, 0.17);
    EXPECT_LT(std::abs(std::log(static_cast<double>(width) / height)), std::log(4.0 / 3) + 0.15);
    kept_area += area / 300;
  }
  EXPECT_NEAR(kept_area, 0.55, 0.05);  // uniform from 0.2 to 1, less of the largest which fit worse
}

TEST(Augment, LowResolutionRemovesDetailAndKeepsTheMean) {
  const auto roughness = [](const std::vector<std::uint8_t>& pixels) {
    double sum = 0;
    for (std::size_t i = 3; i < pixels.size(); ++i) sum += std::abs(pixels[i] - pixels[i - 3]);
    return sum;
  };
  const auto mean = [](const std::vector<std::uint8_t>& pixels) {
    double sum = 0;
    for (const auto value : pixels) sum += value;
    return sum / static_cast<double>(pixels.size());
  };
  double rougher = 0;
  for (std::uint64_t ordinal = 0; ordinal < 200; ++ordinal) {
    const auto after = augmented({.low_resolution = 1}, ordinal);
    rougher += roughness(after) / roughness(original()) / 200;
    EXPECT_NEAR(mean(after), mean(original()), 16);  // nearest picks upper left pixels
  }
  EXPECT_LT(rougher, 0.8);
}

TEST(Augment, JitterChangesBrightnessContrastAndSaturation) {
  // A grey picture cannot be more or less saturated, a black one not brighter.
  std::vector<std::uint8_t> black(kSide * kSide * 3, 0);
  Augmenter().apply(black, kSide, {.photometric = 1}, 1, 5);
  EXPECT_EQ(black, std::vector<std::uint8_t>(kSide * kSide * 3, 0));
  std::vector<double> factors;
  for (std::uint64_t ordinal = 0; ordinal < 300; ++ordinal) {
    std::vector<std::uint8_t> grey(kSide * kSide * 3, 100);
    Augmenter().apply(grey, kSide, {.photometric = 1}, 1, ordinal);
    ASSERT_EQ(std::set<std::uint8_t>(grey.begin(), grey.end()).size(), 1u);
    factors.push_back(grey[0] / 100.0);
  }
  const auto [least, most] = std::minmax_element(factors.begin(), factors.end());
  EXPECT_NEAR(*least, 0.5, 0.03);
  EXPECT_NEAR(*most, 1.5, 0.03);
}

/// A picture of 56 pixels, which may move by two.
TEST(Augment, AShiftMovesThePictureByAFewPixelsBothWays) {
  constexpr int side = 56;
  const auto before = test_images::picture(3, side).pixels;
  std::set<std::pair<int, int>> ways;
  for (std::uint64_t ordinal = 0; ordinal < 300; ++ordinal) {
    auto after = before;
    Augmenter().apply(after, side, {.shift = 1}, 1, ordinal);
    for (int down = -2; down <= 2; ++down)
      for (int right = -2; right <= 2; ++right) {
        auto moved = before;
        shift(moved, side, right, down);
        if (moved == after) ways.insert({right, down});
      }
  }
  EXPECT_EQ(ways.size(), 25u);
}

TEST(Degrade, ShiftsByRepeatingTheEdge) {
  std::vector<std::uint8_t> pixels;
  for (std::uint8_t i = 0; i < 9; ++i) pixels.insert(pixels.end(), 3, i);
  shift(pixels, 3, 1, 0);
  std::vector<std::uint8_t> red;
  for (std::size_t i = 0; i < 9; ++i) red.push_back(pixels[i * 3]);
  EXPECT_EQ(red, (std::vector<std::uint8_t>{0, 0, 1, 3, 3, 4, 6, 6, 7}));
}

TEST(Degrade, BlursByAGaussianAndSharpensByWhatItTakesAway) {
  constexpr int side = 21, middle = (10 * side + 10) * 3;
  std::vector<std::uint8_t> dot(side * side * 3, 0);
  for (int c = 0; c < 3; ++c) dot[static_cast<std::size_t>(middle + c)] = 255;
  BlurBuffers working;
  auto blurred = dot;
  blur(blurred, side, 1, -1, working);
  // Cut off at three sigma the Gaussian's middle weight is 0.39905: its square is the middle of the plane.
  EXPECT_EQ(blurred[middle], std::lround(255 * 0.39905 * 0.39905));
  EXPECT_EQ(blurred[middle + 3], std::lround(255 * 0.39905 * 0.39905 * std::exp(-0.5)));
  EXPECT_EQ(blurred[middle + 3], blurred[static_cast<std::size_t>(middle + 3 * side)]);
  auto same = dot;
  blur(same, side, 1, 0, working);
  EXPECT_EQ(same, dot);
  std::vector<std::uint8_t> step(side * side * 3);
  for (int i = 0; i < side * side; ++i)
    for (int c = 0; c < 3; ++c) step[static_cast<std::size_t>(i * 3 + c)] = i % side < 10 ? 100 : 150;
  auto sharp = step;
  blur(sharp, side, 1, 1, working);
  EXPECT_LT(sharp[9 * 3], 95);
  EXPECT_GT(sharp[10 * 3], 155);
  EXPECT_EQ(sharp[0], 100);
}

TEST(Degrade, CompressesMoreAtALowerQuality) {
  const auto before = original();
  Decoder decoder;
  const auto loss = [&](int quality) {
    auto after = before;
    compress(after, kSide, quality, decoder);
    double sum = 0;
    for (std::size_t i = 0; i < after.size(); ++i) sum += std::abs(after[i] - before[i]);
    return sum / static_cast<double>(after.size());
  };
  EXPECT_GT(loss(30), loss(95));
  EXPECT_GT(loss(95), 0);
  EXPECT_LT(loss(30), 40);
}

TEST(Resample, KeepsPicturesThatHaveTheSizeAlready) {
  const auto bytes = original();
  const std::vector<float> in(bytes.begin(), bytes.end());
  std::vector<float> out;
  ResampleBuffers working;
  for (int kind = 0; kind < kResamplings; ++kind) {
    resample(in, kSide, out, kSide, static_cast<Resampling>(kind), working);
    for (std::size_t i = 0; i < in.size(); ++i) ASSERT_NEAR(out[i], in[i], 1e-3) << kind;
  }
}

TEST(Resample, KeepsConstantPicturesAndKnowsItsKernels) {
  std::vector<float> out;
  ResampleBuffers working;
  for (int kind = 0; kind < kResamplings; ++kind)
    for (const int to : {1, 3, 7, 20}) {
      resample(std::vector<float>(9 * 9 * 3, 42), 9, out, to, static_cast<Resampling>(kind), working);
      for (const float value : out) ASSERT_NEAR(value, 42, 1e-3) << kind << " to " << to;
    }
  // One row of 4 to 2 and to 8, worked by hand; columns do the same by symmetry.
  const auto row = [&](Resampling kind, int to) {
    std::vector<float> in;
    for (int y = 0; y < 4; ++y)
      for (const float value : {0.0F, 10.0F, 20.0F, 60.0F}) in.insert(in.end(), 3, value);
    resample(in, 4, out, to, kind, working);
    std::vector<float> first;
    first.reserve(static_cast<std::size_t>(to));
    for (int x = 0; x < to; ++x) first.push_back(out[static_cast<std::size_t>(x * 3)]);
    return first;
  };
  EXPECT_EQ(row(Resampling::Nearest, 2), (std::vector<float>{0, 20}));
  EXPECT_EQ(row(Resampling::Area, 2), (std::vector<float>{5, 40}));
  EXPECT_EQ(row(Resampling::Linear, 2), (std::vector<float>{5, 40}));
  EXPECT_EQ(row(Resampling::Linear, 8)[1], 2.5F);
  EXPECT_EQ(row(Resampling::Area, 8), row(Resampling::Linear, 8));
  // Keys, a = -0.75, at a half: -3/32, 19/32, 19/32, -3/32.
  EXPECT_NEAR(row(Resampling::Cubic, 2)[0], (-3 * 0 + 19 * 0 + 19 * 10 - 3 * 20) / 32.0, 1e-4);
  EXPECT_NEAR(row(Resampling::Lanczos, 2)[0], 5.70, 0.01);
}

}  // namespace
}  // namespace facemae
