#include "evaluation/linkage/features.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <numbers>

#include "core/error.h"

namespace facemae {
namespace {

TEST(PixelFeatures, IgnoreBrightnessAndContrast) {
  torch::manual_seed(1);
  const auto images = torch::rand({4, 3, 112, 112}) - 0.5;
  const auto features = pixel_features(images, 28);
  EXPECT_EQ(features.sizes(), (std::vector<std::int64_t>{4, 3 * 28 * 28}));
  EXPECT_TRUE(torch::allclose(features, pixel_features(0.6 * images + 0.2, 28), 1e-4, 1e-6));
  EXPECT_TRUE(torch::allclose(features.norm(2, 1), torch::ones(4), 1e-5, 1e-6));
  EXPECT_FALSE(torch::allclose(features[0], features[1], 1e-2, 1e-3));
  const auto bytes = ((images + 1) * 127.5).round().to(torch::kUInt8);
  EXPECT_GT((pixel_features(bytes, 28) * features).sum(1).min().item<float>(), 0.999);
  EXPECT_EQ(pixel_features(torch::zeros({2, 3, 16, 16}), 14).abs().max().item<float>(), 0)
      << "a flat picture";
}

TEST(DctFeatures, FindTheFrequencyOfACosine) {
  const auto at = torch::arange(64, torch::kFloat32) + 0.5;
  const auto wave = [&](int frequency) { return torch::cos(at * (std::numbers::pi * frequency / 64)); };
  // Down 2, across 3; the constant goes with the mean.
  const auto image = 0.1 + 0.5 * wave(2).unsqueeze(1) * wave(3).unsqueeze(0);
  const auto features = dct_features(image.expand({1, 3, 64, 64}), 8);
  ASSERT_EQ(features.size(1), 63);
  auto expected = torch::zeros({1, 63});
  expected[0][2 * 8 + 3 - 1] = 1;
  EXPECT_TRUE(torch::allclose(features, expected, 0, 1e-4)) << features;
  EXPECT_THROW(dct_features(torch::zeros({1, 3, 4, 4}), 8), ConfigError);
}

}  // namespace
}  // namespace facemae
