// What the first start of a run chose for its buckets stays, and a run that 0.1.0 began keeps what that did.
#include <gtest/gtest.h>

#include "cluster/host/control.h"
#include "tests/unit/checkpoint/tensors/fixture.h"
#include "trainer/config/validate_run.h"
#include "trainer/run/resume.h"

namespace facemae {
namespace {

using namespace test;

struct Command {
  explicit Command(const std::vector<std::string>& more = {}) {
    declare(options, config);
    std::vector<std::string> words = {"--store", "s", "--run", "r", "--batch", "48", "--steps", "7"};
    words.insert(words.end(), more.begin(), more.end());
    CommonOptions common;
    options.parse(words, common);
    validate(options, config);
    config.common.run = folder.path();
  }
  std::string faults() {
    try {
      options.finish();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  /// A start that commits a step with this configuration.
  void commit(const std::string& text) {
    const Quiet quiet;
    QuickFiles files;
    Snapshot state = small_state(1);
    state.config = text;
    EXPECT_TRUE(CheckpointStore(folder.path(), control, files).save(state, 1));
  }
  RunConfig& settled() {
    settle_buckets(config.common, control);
    return config.common;
  }
  TemporaryFolder folder;
  AloneControl control;
  RecognizeConfig config;
  Options options{"", "recognize"};
};

TEST(Buckets, GrowWithManyRanksExceptUnderExact) {
  EXPECT_EQ(default_bucket_mib(1, false), 25u);
  EXPECT_EQ(default_bucket_mib(128, false), 25u);
  EXPECT_EQ(default_bucket_mib(512, false), 100u);
  EXPECT_EQ(default_bucket_mib(8192, false), 200u);
  EXPECT_EQ(default_bucket_mib(8192, true), 25u);
}

TEST(Buckets, OfANewRunAreAlignedAndWrittenDown) {
  Command command;
  const RunConfig& run = command.settled();
  EXPECT_EQ(run.bucket_mib, 25u);
  EXPECT_TRUE(run.buckets().aligned);
  EXPECT_TRUE(run.optimizer_of_run().fused);
  EXPECT_NE(command.options.text().find("bucket-mib = 25\n"), std::string::npos);
}

TEST(Buckets, OfARunOfTheFirstVersionStayAsTheyWere) {
  Command command;
  const std::string text = command.options.text();
  EXPECT_EQ(text.find("bucket-mib"), std::string::npos);
  command.commit(text);
  const RunConfig& run = command.settled();
  EXPECT_FALSE(run.bucket_mib);
  EXPECT_EQ(run.buckets().bytes, 25u << 20);
  EXPECT_FALSE(run.buckets().aligned);
  EXPECT_FALSE(run.optimizer_of_run().fused);
  EXPECT_EQ(run.buckets().travels_as, torch::kFloat32);
  EXPECT_TRUE(result_changes(text, command.options.text()).empty());
}

TEST(Buckets, KeepTheSizeThatTheFirstStartChose) {
  Command command;
  command.commit("bucket-mib = 100\n");
  EXPECT_EQ(command.settled().bucket_mib, 100u);
  Command fresh({"--fresh"});
  fresh.commit("bucket-mib = 100\n");
  EXPECT_EQ(fresh.settled().bucket_mib, 25u);
}

TEST(Buckets, TheFormatOfGradientsIsPartOfTheRunAndShardingIsNot) {
  Command plain, said({"--gradient-dtype", "float32"}), halves({"--gradient-dtype", "bfloat16"}),
      sharded({"--shard-optimizer"});
  for (Command* command : {&plain, &said, &halves, &sharded}) {
    command->settled();
    EXPECT_EQ(command->faults(), "");
  }
  const std::string text = plain.options.text();
  EXPECT_TRUE(result_changes(text, said.options.text()).empty());
  EXPECT_EQ(result_changes(text, halves.options.text()).size(), 1u);
  EXPECT_TRUE(result_changes(text, sharded.options.text()).empty());
  EXPECT_EQ(halves.config.common.buckets().travels_as, torch::kBFloat16);
  EXPECT_TRUE(sharded.config.common.buckets().shard);
}

TEST(Buckets, ExactRefusesWhatItsSumsCannotHave) {
  EXPECT_NE(Command({"--exact", "--gradient-dtype", "bfloat16"}).faults().find("leave out --gradient-dtype"),
            std::string::npos);
  EXPECT_NE(Command({"--exact", "--shard-optimizer"}).faults().find("leave out --shard-optimizer"),
            std::string::npos);
}

}  // namespace
}  // namespace facemae
