#include "trainer/step/faces.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdlib>

#include "core/random/keys.h"
#include "data/image/planes.h"
#include "model/common/pixels.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

std::vector<std::uint8_t> decoded(Bytes encoded, int side, PixelFormat format) {
  std::vector<std::uint8_t> out(image_bytes(side, format));
  PlanesDecoder().decode_into(encoded, side, format, out);
  return out;
}

/// Largest and mean difference in levels of 255 between colours converted on the device and by libjpeg.
std::pair<double, double> difference(const std::vector<std::vector<std::byte>>& images, int side) {
  double most = 0, sum = 0;
  for (const auto& encoded : images) {
    const auto ours =
        planes_to_network_input(decoded(encoded, side, PixelFormat::Yuv420), side, {}, torch::kCPU);
    const auto theirs = to_network_input(decoded(encoded, side, PixelFormat::Rgb), side, {}, torch::kCPU);
    const auto levels = (ours - theirs).abs() * 127.5;
    most = std::max(most, levels.max().item<double>());
    sum += levels.mean().item<double>() / static_cast<double>(images.size());
  }
  return {most, sum};
}

TEST(Faces, ColoursConvertedOnTheDeviceAreWithinTwoLevelsOfLibjpegs) {
  std::vector<std::vector<std::byte>> images;
  for (std::uint64_t i = 0; i < 20; ++i) images.push_back(encode_jpeg(test_images::picture(i, 112)));
  const auto [most, mean] = difference(images, 112);
  EXPECT_LE(most, 2);
  EXPECT_LT(mean, 0.6);
}

TEST(Faces, ColoursOfRealFacesAreWithinTwoLevelsToo) {
  const char* shared = std::getenv("FACEMAE_SHARED_DATA");
  const Path folder = Path(shared != nullptr ? shared : "") / "celeba112/dev";
  if (shared == nullptr || !std::filesystem::exists(folder))
    GTEST_SKIP() << "no real faces in FACEMAE_SHARED_DATA";
  std::vector<std::vector<std::byte>> images;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".jpg") continue;
    const std::string text = read_file(file.path());
    images.emplace_back(bytes_of(text).begin(), bytes_of(text).end());
    if (images.size() == 100) break;
  }
  ASSERT_FALSE(images.empty());
  const auto [most, mean] = difference(images, 112);
  std::printf("planes of %zu real faces: at most %.2f levels from libjpeg's RGB, %.3f in the mean\n",
              images.size(), most, mean);
  EXPECT_LE(most, 2);
}

TEST(Faces, MirrorByTheKeyOfTheirOrdinalInEitherFormat) {
  const auto encoded = encode_jpeg(test_images::picture(1, 32));
  for (const PixelFormat format : {PixelFormat::Rgb, PixelFormat::Yuv420}) {
    ByteBatch batch;
    batch.image = 32;
    batch.format = format;
    for (std::uint64_t ordinal = 0; ordinal < 16; ++ordinal) {
      const auto pixels = decoded(encoded, 32, format);
      batch.pixels.insert(batch.pixels.end(), pixels.begin(), pixels.end());
      batch.ordinals.push_back(ordinal);
      batch.rows.push_back(0);
      batch.labels.push_back(3);
    }
    const BatchPlan plan{.global_batch = 16};
    const Faces plain = to_faces(batch, plan, 5, false, torch::kCPU),
                mixed = to_faces(batch, plan, 5, true, torch::kCPU);
    int mirrored = 0;
    for (std::int64_t i = 0; i < 16; ++i) {
      const bool flip = (key_of(5, Purpose::Flip, static_cast<std::uint64_t>(i)) & 1) != 0;
      mirrored += flip;
      EXPECT_TRUE(
          torch::allclose(mixed.images[i], flip ? plain.images[i].flip({2}) : plain.images[i], 0, 1e-6));
    }
    EXPECT_GT(mirrored, 2);
    EXPECT_LT(mirrored, 14);
    EXPECT_EQ(plain.labels[7].item<std::int64_t>(), 3);
  }
}

TEST(Faces, OfSlotsAreThoseOfTheRankCutOnTensorsOfTheirOwn) {
  for (const PixelFormat format : {PixelFormat::Rgb, PixelFormat::Yuv420}) {
    ByteBatch batch;
    batch.image = 32;
    batch.format = format;
    const BatchPlan plan{.global_batch = 21, .world = 2, .slots = 4};
    batch.ordinals = plan.ordinals(0, 0, 1);
    for (const auto ordinal : batch.ordinals) {
      const auto pixels = decoded(encode_jpeg(test_images::picture(ordinal, 32)), 32, format);
      batch.pixels.insert(batch.pixels.end(), pixels.begin(), pixels.end());
      batch.labels.push_back(static_cast<std::int64_t>(100 + ordinal));
    }
    const Faces whole = to_faces(batch, plan, 5, true, torch::kCPU);
    const auto slots = to_slots(batch, plan, 1, 5, true, torch::kCPU);
    ASSERT_EQ(slots.size(), 2U);
    std::vector<torch::Tensor> images, labels;
    std::vector<std::uint64_t> ordinals;
    for (const auto& slot : slots) {
      images.push_back(slot.images);
      labels.push_back(slot.labels);
      ordinals.insert(ordinals.end(), slot.ordinals.begin(), slot.ordinals.end());
      EXPECT_EQ(slot.images.storage_offset(), 0);
      EXPECT_EQ(slot.images.size(0), static_cast<std::int64_t>(slot.ordinals.size()));
      EXPECT_EQ(slot.micro_rows(), 21);
    }
    EXPECT_TRUE(torch::allclose(torch::cat(images), whole.images, 0, 1e-6));
    EXPECT_TRUE(torch::equal(torch::cat(labels), whole.labels));
    EXPECT_EQ(ordinals, whole.ordinals);
  }
}

}  // namespace
}  // namespace facemae
