#include "trainer/images/face_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/error.h"
#include "tests/unit/trainer/apply/counting_network.h"
#include "tests/why.h"
#include "trainer/apply/embed_images.h"

namespace facemae {
namespace {

using testing::HasSubstr;

/// `size` pictures, of which `read` may do something first.
ImageSet pictures(std::size_t size, std::function<void(std::size_t)> before = {}) {
  return {.size = size,
          .read =
              [before = std::move(before)](std::size_t i) {
                if (before) before(i);
                return test::striped_picture(i);
              },
          .name = [](std::size_t i) { return "picture " + std::to_string(i); }};
}

TEST(FaceBatches, GiveAllImagesOfARangeInOrderWhateverTheNumberOfThreads) {
  const ImageSet images = pictures(23);
  for (const int decoders : {1, 3, 9}) {
    FaceBatches batches(images, 2, 21, 4, decoders);
    std::size_t next = 2;
    while (const auto batch = batches.next()) {
      EXPECT_EQ(batch->first, next);
      EXPECT_EQ(batch->count, std::min<std::size_t>(4, 21 - next));
      ASSERT_EQ(batch->pixels.size(), batch->count * 112 * 112 * 3);
      for (std::size_t i = 0; i < batch->count; ++i) EXPECT_EQ(batch->pixels[i * 112 * 112 * 3], next + i);
      next += batch->count;
    }
    EXPECT_EQ(next, 21U);
    EXPECT_FALSE(batches.next()) << "nothing comes after the end";
  }
  EXPECT_FALSE(FaceBatches(images, 5, 5, 4, 2).next());
}

TEST(FaceBatches, ThrowWhatAnImageThrewAfterTheBatchesBeforeIt) {
  const ImageSet images = pictures(40, [](std::size_t i) {
    if (i == 9) throw FileError("the disk is gone", EIO);
  });
  FaceBatches batches(images, 0, 40, 4, 3);
  EXPECT_TRUE(batches.next());
  EXPECT_TRUE(batches.next());
  EXPECT_THROW(batches.next(), FileError);
  EXPECT_FALSE(batches.next());

  ImageSet broken = pictures(3);
  broken.read = [](std::size_t) { return std::vector<std::byte>(20); };
  EXPECT_THAT(test::why<DataError>([&] { FaceBatches(broken, 1, 3, 2, 1).next(); }),
              HasSubstr("picture 1: "));
}

TEST(FaceBatches, AreDecodedOneAheadAndNoFurther) {
  std::atomic<std::size_t> read = 0;
  const ImageSet images = pictures(100, [&](std::size_t) { ++read; });
  {
    FaceBatches batches(images, 0, 100, 10, 1);
    batches.next();
    while (read < 20)
      std::this_thread::yield();  // the second batch is decoded though nobody has asked for it
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(read, 20U);
  }  // and nothing hangs when the rest is not wanted
}

TEST(EmbedRange, DecodesWhileTheNetworkComputes) {
  using Clock = std::chrono::steady_clock;
  constexpr int batches = 30;
  constexpr std::chrono::milliseconds delay(
      8);  // of a batch, in decoding and in the network: they sleep, and need no core
  const ImageSet images = pictures(batches, [&](std::size_t) { std::this_thread::sleep_for(delay); });
  test::CountingNetwork network;
  network.delay = delay / 2;  // it is called for the mirror image, too
  const EmbedConfig config{.batch = 1, .show_progress = false};
  double best = 1e9;
  for (int trial = 0; trial < 5 && best > 1.1; ++trial) {
    const auto timed = [](const std::function<void()>& act) {
      const auto begin = Clock::now();
      act();
      return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    const double decoding = timed([&] {
      FaceBatches all(images, 0, images.size, 1, 1);
      while (all.next()) continue;
    });
    const ImageSet quick = pictures(batches);
    const double computing = timed([&] {
      embed_range(
          quick, 0, quick.size, network, torch::kCPU, config, [](const auto&, const auto&) {}, false);
    });
    const double both = timed([&] {
      embed_range(
          images, 0, images.size, network, torch::kCPU, config, [](const auto&, const auto&) {}, false);
    });
    best = std::min(best, both / std::max(decoding, computing));
  }
  EXPECT_LE(best, 1.1) << "one after the other would take twice as long";
}

}  // namespace
}  // namespace facemae
