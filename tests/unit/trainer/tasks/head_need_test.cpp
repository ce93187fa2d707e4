#include "trainer/tasks/head_need.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

RecognizeConfig configured(std::uint64_t batch, double rate) {
  RecognizeConfig config;
  config.common.optimizer.kind = "sgd";
  config.common.batch = batch;
  config.sample_rate = rate;
  return config;
}

constexpr std::uint64_t kMiB = 1 << 20;

TEST(HeadNeed, OfAllClassesWithSgdIsThreeRowsAClass) {
  const auto need = head_need(configured(64, 1), 100'000, 1);
  EXPECT_EQ(need.classes, 100'000);
  EXPECT_EQ(need.in_step, 100'000);
  EXPECT_EQ(need.weights, 204'800'000u);
  EXPECT_EQ(need.kept(), 409'600'000u);
  EXPECT_EQ(need.picked, 0u);
  EXPECT_EQ(need.centres(), 614'400'000u);
  EXPECT_EQ(need.logits, 64u * 100'000 * 4);
}

TEST(HeadNeed, OfSampledClassesGrowsWithTheseBesideWhatIsKept) {
  auto config = configured(4096, 0.1);
  const auto need = head_need(config, 10'000'000, 64);
  EXPECT_NEAR(static_cast<double>(need.classes), 156'250, 10'000) << "1,024 shards over 64 ranks";
  EXPECT_NEAR(static_cast<double>(need.in_step), 0.1 * static_cast<double>(need.classes), 1);
  EXPECT_EQ(need.kept(), static_cast<std::uint64_t>(need.classes) * 4096);
  EXPECT_EQ(need.gradients, static_cast<std::uint64_t>(need.in_step) * 2048);
  EXPECT_EQ(need.picked, need.gradients);
  EXPECT_EQ(need.logits, 4096u * static_cast<std::uint64_t>(need.in_step) * 4);
  config.common.accumulate = 4;
  EXPECT_EQ(head_need(config, 10'000'000, 64).logits, need.logits / 4) << "of a micro-batch";
  config.logit_mib = 16;
  EXPECT_EQ(head_need(config, 10'000'000, 64).logits, 16 * kMiB);
}

TEST(HeadNeed, OfAdamwHasTwoMomentsAndOnlyIfSparseACount) {
  auto config = configured(64, 0.1);
  config.common.optimizer.kind = "adamw";
  EXPECT_EQ(head_need(config, 1000, 1).kept(), 1000u * 6148);
  config.class_update = "dense";
  EXPECT_EQ(head_need(config, 1000, 1).kept(), 1000u * 6144);
}

TEST(HeadNeed, HasTheClassesOfTheImagesWhateverTheRate) {
  const auto need = head_need(configured(1000, 0), 1'000'000, 10);
  EXPECT_NEAR(static_cast<double>(need.in_step), 100, 2) << "a tenth of a thousand, nearly all different";
  EXPECT_EQ(head_need(configured(100'000, 0), 5, 1).in_step, 5);
}

TEST(HeadNeed, IsThatOfTheRankWithMostClasses) {
  auto config = configured(64, 1);
  config.class_shards = 4;
  EXPECT_EQ(head_need(config, 10, 3).classes, 5) << "two of four shards, 2 and 3 or 3 and 2 classes";
  EXPECT_THROW(head_need(config, 10, 5), ConfigError);
}

}  // namespace
}  // namespace facemae
