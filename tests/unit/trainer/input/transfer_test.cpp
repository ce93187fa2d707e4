#include "trainer/input/transfer.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"
#include "tests/fake_side_stream.h"

namespace facemae {
namespace {

using test::FakeSideStream;
using testing::ElementsAre;

constexpr int kSide = 4;
constexpr std::size_t kNoise = 3;
const BatchPlan kPlan{.global_batch = 5};

std::unique_ptr<ByteBatch> batch(std::uint64_t step, PixelFormat format = PixelFormat::Rgb) {
  auto bytes = std::make_unique<ByteBatch>();
  bytes->step = step;
  bytes->image = kSide;
  bytes->format = format;
  bytes->ordinals = kPlan.ordinals(step, 0, 0);
  for (const auto ordinal : bytes->ordinals) {
    bytes->rows.push_back(ordinal);
    bytes->labels.push_back(static_cast<std::int64_t>(100 + ordinal));
    for (std::size_t i = 0; i < image_bytes(kSide, format); ++i)
      bytes->pixels.push_back(static_cast<std::uint8_t>(17 * ordinal + i));
    for (std::size_t i = 0; i < kNoise; ++i)
      bytes->noise.push_back(static_cast<double>(ordinal) + 0.1 * static_cast<double>(i));
  }
  return bytes;
}

struct TransferTest : testing::Test {
  std::shared_ptr<FakeSideStream> side = std::make_shared<FakeSideStream>();
  Transfer transfer{side, kPlan, /*seed=*/5, /*flip=*/true, /*labels=*/true};
};

TEST_F(TransferTest, GivesTheFacesThatTheHostMakesOfTheSameBytes) {
  for (const auto format : {PixelFormat::Rgb, PixelFormat::Yuv420})
    for (std::uint64_t step = 0; step < 3; ++step) {
      const auto bytes = batch(step, format);
      const Faces expected = to_faces(*bytes, kPlan, 5, true, torch::kCPU);
      transfer.send(batch(step, format));
      const Faces faces = transfer.receive();
      EXPECT_TRUE(torch::equal(faces.images, expected.images)) << step;
      EXPECT_TRUE(torch::equal(faces.labels, expected.labels)) << step;
      EXPECT_EQ(faces.ordinals, expected.ordinals);
      EXPECT_EQ(faces.rows_of_rank, expected.rows_of_rank);
      EXPECT_EQ(faces.step, step);
      ASSERT_EQ(faces.noise.sizes(), (std::vector<std::int64_t>{5, kNoise}));
      EXPECT_TRUE(std::equal(bytes->noise.begin(), bytes->noise.end(), faces.noise.data_ptr<double>()));
    }
}

TEST_F(TransferTest, CopiesTheNextBatchBesideComputingWithoutTheHostWaiting) {
  transfer.send(batch(0));
  Faces faces = transfer.receive();
  const auto first = faces.images.clone();
  for (std::uint64_t step = 1; step < 6; ++step) {
    transfer.send(batch(step));
    EXPECT_TRUE(transfer.under_way());
    faces = transfer.receive();
  }
  const auto events = side->take_events();
  EXPECT_EQ(std::count(events.begin(), events.end(), "host waits"), 0);
  EXPECT_EQ(std::count(events.begin(), events.end(), "computing waits"), 6);
  EXPECT_EQ(std::count_if(events.begin(), events.end(), [](const auto& e) { return e.starts_with("copy"); }),
            6 * 4)
      << "pixels, noise, labels, flips";
  EXPECT_FALSE(torch::equal(faces.images, first));
}

TEST_F(TransferTest, WritesNoBufferBeforeWhatWasReadFromItIsComputed) {
  for (std::uint64_t step = 0; step < 2; ++step) {
    transfer.send(batch(step));
    (void)transfer.receive();
  }
  (void)side->take_events();
  transfer.send(batch(2));  // into the buffers of batch 0
  EXPECT_THAT(side->take_events(), ElementsAre("side waits", "copy 240", "copy 120", "copy 40", "copy 5"));
}

TEST_F(TransferTest, CopiesNoLabelThatNobodyReads) {
  Transfer unlabelled(side, kPlan, 5, /*flip=*/false, /*labels=*/false);
  unlabelled.send(batch(0));
  EXPECT_FALSE(unlabelled.receive().labels.defined());
  unlabelled.send(batch(1));
  (void)unlabelled.receive();
  (void)side->take_events();
  unlabelled.send(batch(2));
  EXPECT_THAT(side->take_events(), ElementsAre("side waits", "copy 240", "copy 120"));
}

TEST_F(TransferTest, HandsBatchesBackWhenTheirBytesHaveLeft) {
  EXPECT_EQ(transfer.spare(), nullptr);
  std::vector<const void*> sent;
  for (std::uint64_t step = 0; step < 2; ++step) {
    auto bytes = batch(step);
    sent.push_back(bytes->pixels.data());
    EXPECT_EQ(transfer.spare(), nullptr);
    transfer.send(std::move(bytes));
    (void)transfer.receive();
  }
  const auto spare = transfer.spare();
  ASSERT_NE(spare, nullptr);
  EXPECT_EQ(spare->pixels.data(), sent[0]);
}

TEST_F(TransferTest, TakesBackWhatIsNotToBeUsed) {
  EXPECT_EQ(transfer.take_back(), nullptr);
  transfer.send(batch(0));
  (void)transfer.receive();
  transfer.send(batch(1));
  EXPECT_THROW(transfer.send(batch(2)), Error);
  const auto back = transfer.take_back();
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(back->step, 1U);
  EXPECT_THROW((void)transfer.receive(), Error);
  transfer.send(batch(7));  // another one in its place
  EXPECT_EQ(transfer.receive().step, 7U);
}

}  // namespace
}  // namespace facemae
