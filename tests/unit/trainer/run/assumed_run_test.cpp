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
  config.assume_identities = 10'000'000;
  config.assume_images = 150'000'000;
  config.assume_ranks = 64;
  return config;
}

std::string printed(const RecognizeConfig& config) {
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

}  // namespace
}  // namespace facemae
