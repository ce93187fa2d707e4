#include "trainer/run/assumed_run.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/text.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "trainer/tasks/head_need.h"

namespace facemae {
namespace {

using testing::HasSubstr;

RecognizeConfig ten_million_people() {
  RecognizeConfig config;
  config.common.optimizer.kind = "sgd";
  config.common.batch = 4096;
  config.common.epochs = 20;
  config.sample_rate = 0.1;
  config.memory_format = "contiguous";
  config.common.assume_identities = 10'000'000;
  config.common.assume_images = 150'000'000;
  config.common.assume_ranks = 64;
  return config;
}

std::string printed(const auto& config) {
  const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
  testing::internal::CaptureStdout();
  try {
    print_assumed_run(config, *world);
  } catch (const ConfigError& error) {
    return testing::internal::GetCapturedStdout() + error.what();
  }
  return testing::internal::GetCapturedStdout();
}

TEST(AssumedRun, TellsOfAStoreAndOfRanksThatAreNotThere) {
  const auto config = ten_million_people();
  const auto head = head_need(config, 10'000'000, 64);
  const std::string text = printed(config);
  EXPECT_THAT(text, HasSubstr("64 assumed, device cpu\n"));
  EXPECT_THAT(text, HasSubstr("150,000,000 images, 10,000,000 identities, assumed\n"));
  EXPECT_THAT(text, HasSubstr("732,422 of 4096 images"));
  EXPECT_THAT(text, HasSubstr(human_bytes(head.centres()) + " class centres, " + human_bytes(head.logits) +
                              " logits"));
  EXPECT_THAT(text, testing::Not(HasSubstr("to be read")));
}

TEST(AssumedRun, RefusesRanksThatCannotShareBatchOrClasses) {
  auto config = ten_million_people();
  config.common.accumulate = 100;
  EXPECT_THAT(printed(config), HasSubstr("leaves some of the 64 ranks without an image"));
  config.common.accumulate = 1, config.class_shards = 63;
  EXPECT_THAT(printed(config), HasSubstr("63 virtual shards cannot be spread over 64 ranks"));
}

PretrainConfig base_on(int ranks) {
  PretrainConfig config;
  config.model = "tiny", config.patch = 16;
  config.common.batch = 256, config.common.epochs = 10;
  config.common.assume_identities = 1000, config.common.assume_images = 100'000;
  config.common.assume_ranks = ranks;
  return config;
}

TEST(AssumedRun, OfFaceMaeTellsOfARanksPart) {
  const std::string alone = printed(base_on(1)), many = printed(base_on(64));
  EXPECT_THAT(many, HasSubstr("FaceMAE tiny, 112 x 112 pixels, patch 16"));
  EXPECT_THAT(many, HasSubstr("64 assumed, device cpu\n"));
  EXPECT_THAT(many, HasSubstr("100,000 images, 1,000 identities, assumed\n"));
  EXPECT_THAT(many, HasSubstr("3,907 of 256 images"));
  const auto line = [](const std::string& text, const std::string& heading) {
    const auto at = text.find(heading);
    return text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_EQ(line(alone, "parameters"), line(many, "parameters"));
  EXPECT_NE(line(alone, "memory per rank"), line(many, "memory per rank"));
}

TEST(AssumedRun, OfFaceMaeRefusesRanksWithoutAPicture) {
  auto config = base_on(64);
  config.common.accumulate = 8;
  EXPECT_THAT(printed(config), HasSubstr("leaves some of the 64 ranks without an image"));
  config.common.accumulate = 1, config.blend = "people:4";
  EXPECT_THAT(printed(config), HasSubstr("leaves some of the 64 ranks without a picture"));
}

TEST(AssumedRun, CountsWhatARelationHasOfOtherRanks) {
  auto config = base_on(8);
  const auto bytes = [&](std::int64_t values) { return static_cast<int>(related_bytes(config, values, 8)); };
  EXPECT_EQ(bytes(512), 12 * 256 * 512 + 16 * 32 * 256);
  EXPECT_EQ(bytes(128), 24 * 128 * 128);  // fewer values than faces: sums
  config.relation_form = "pairs";
  EXPECT_EQ(bytes(128), 12 * 256 * 128 + 16 * 32 * 256);
  config.common.accumulate = 4;
  EXPECT_EQ(bytes(128), 12 * 64 * 128 + 16 * 8 * 64);
  config.relation_batch = "global";
  EXPECT_EQ(bytes(128), 12 * 256 * 128 + 16 * 32 * 256);
  EXPECT_EQ(bytes(0), 0);
}

}  // namespace
}  // namespace facemae
