#include "model/common/pixels.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <numeric>

namespace facemae {
namespace {

std::vector<std::uint8_t> counting(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

TEST(Pixels, ReachesMinusOneAndOne) {
  std::vector<std::uint8_t> bytes(2 * 2 * 3, 0);
  bytes[0] = 255;
  const auto images = to_network_input(bytes, 2, {}, torch::kCPU);
  EXPECT_FLOAT_EQ(images[0][0][0][0].item<float>(), 1.0F);
  EXPECT_FLOAT_EQ(images[0][1][0][0].item<float>(), -1.0F);
}

TEST(Pixels, PutsChannelsFirst) {
  const auto images = to_network_input(counting(2 * 3 * 3 * 3), 3, {}, torch::kCPU);
  ASSERT_EQ(images.sizes(), (std::vector<std::int64_t>{2, 3, 3, 3}));
  // image 1, green of row 2, column 1
  const double byte = 27 + (2 * 3 + 1) * 3 + 1;
  EXPECT_NEAR(images[1][1][2][1].item<float>(), (byte - 127.5) / 127.5, 1e-6);
}

TEST(Pixels, MirrorsOnlyWhatIsFlipped) {
  const auto bytes = counting(2 * 2 * 2 * 3);
  const std::vector<std::uint8_t> flip{0, 1};
  const auto plain = to_network_input(bytes, 2, {}, torch::kCPU),
             mixed = to_network_input(bytes, 2, flip, torch::kCPU);
  EXPECT_TRUE(torch::equal(mixed[0], plain[0]));
  EXPECT_TRUE(torch::equal(mixed[1], plain[1].flip({2})));
}

/// As rows of bytes, which is how they arrive on a device.
torch::Tensor rows_of(const std::vector<std::uint8_t>& bytes, std::int64_t count) {
  return torch::tensor(at::ArrayRef<std::uint8_t>(bytes), torch::kUInt8).view({count, -1});
}

TEST(Pixels, ConvertedOnADeviceAreTheFloatsOfTheHostToTheBit) {
  constexpr std::int64_t kSide = 8, kCount = 3;
  const auto bytes = counting(kCount * kSide * kSide * 3);
  const std::vector<std::vector<std::uint8_t>> choices = {{}, {0, 1, 1}, {0, 0, 0}};
  for (const auto& flip : choices) {
    const auto flips =
        flip.empty() ? torch::Tensor() : torch::tensor(at::ArrayRef<std::uint8_t>(flip), torch::kUInt8);
    const auto images = network_input_of(rows_of(bytes, kCount), kSide, flips);
    EXPECT_TRUE(torch::equal(images, to_network_input(bytes, kSide, flip, torch::kCPU)));
    EXPECT_TRUE(images.is_contiguous());
  }
}

TEST(Pixels, OfPlanesAreTheSameFromRowsOfBytes) {
  constexpr std::int64_t kSide = 8, kCount = 2;
  const auto bytes = counting(kCount * kSide * kSide * 3 / 2);
  const std::vector<std::uint8_t> flip{1, 0};
  const auto images = network_input_of_planes(rows_of(bytes, kCount), kSide, rows_of(flip, 2).flatten());
  EXPECT_TRUE(torch::equal(images, planes_to_network_input(bytes, kSide, flip, torch::kCPU)));
  EXPECT_TRUE(torch::equal(images[0].flip({2}), planes_to_network_input(bytes, kSide, {}, torch::kCPU)[0]));
}

TEST(Pixels, ComesBackToTheSameBytes) {
  const auto bytes = counting(16 * 16 * 3);
  EXPECT_EQ(to_bytes(to_network_input(bytes, 16, {}, torch::kCPU)), bytes);
}

TEST(Pixels, ClampsWhatLeavesTheRange) {
  const auto images = torch::tensor({-3.0F, 0.0F, 3.0F}).reshape({1, 3, 1, 1});
  EXPECT_THAT(to_bytes(images), testing::ElementsAre(0, 128, 255));
}

}  // namespace
}  // namespace facemae
