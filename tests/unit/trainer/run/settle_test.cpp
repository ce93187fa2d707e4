// What the first start of a run chose stays, and a run that began before there was a choice keeps what it had then.
#include <gmock/gmock.h>

#include "cluster/host/control.h"
#include "core/text.h"
#include "tests/unit/checkpoint/tensors/fixture.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "trainer/config/validate_run.h"
#include "trainer/input/machine.h"
#include "trainer/run/resume.h"

namespace facemae {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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
    const Quiet quiet;
    const auto world = World::open(mpi_alone(), {.device = "cpu"});
    settle_precision(config.common, *world);
    settle(options, config.common, control, [&] { choose_for_new_run(config, *world); });
    return config.common;
  }
  std::string text() {
    settled();
    return options.text();
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
  const std::string text = "batch = 48\nsteps = 7\n";
  command.commit(text);
  const RunConfig& run = command.settled();
  EXPECT_FALSE(run.bucket_mib);
  EXPECT_EQ(run.buckets().bytes, 25u << 20);
  EXPECT_FALSE(run.buckets().aligned);
  EXPECT_FALSE(run.optimizer_of_run().fused);
  EXPECT_EQ(run.buckets().travels_as, torch::kFloat32);
  EXPECT_THAT(command.options.text(), Not(HasSubstr("bucket-mib")));
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

/// What a recognition run wrote that has none of the options that came later, nor one that is settled.
std::string without(std::string text, const std::vector<std::string>& keys) {
  std::string rest;
  for (const auto& line : split(text, '\n'))
    if (!line.empty() &&
        std::none_of(keys.begin(), keys.end(), [&](const auto& key) { return line.starts_with(key + " ="); }))
      rest += line + "\n";
  return rest;
}

const std::vector<std::string> kLater = {"bucket-mib",      "memory-format", "gradient-dtype",
                                         "nesterov",        "gamma",         "power",
                                         "sample-rate",     "class-update",  "logit-mib",
                                         "logit-precision", "embedding",     "activation-checkpointing"};

TEST(Settled, ARunOfBeforeGoesOnWithAllClassesDenseUpdatesAndWholeLogits) {
  Command fresh;
  const std::string now = fresh.text(), before = without(now, kLater);
  EXPECT_EQ(fresh.config.class_update, "sparse");
  EXPECT_EQ(fresh.config.logit_mib, 512u);
  Command older;
  older.commit(before);
  const std::string gone_on = older.text();
  EXPECT_EQ(without(gone_on, {"run", "nesterov"}), without(before, {"run"})) << "its text stays as it is";
  EXPECT_THAT(result_changes(before, gone_on), IsEmpty());
  EXPECT_EQ(older.config.class_update, "dense");
  EXPECT_EQ(older.config.sample_rate, 1);
  EXPECT_EQ(older.config.logit_mib, 1u << 20);
  EXPECT_EQ(older.config.logit_precision, "auto");
  EXPECT_EQ(older.config.embedding, 512);
  EXPECT_EQ(older.config.memory_format, "contiguous");
  EXPECT_EQ(older.config.common.gradient_dtype, "float32");
  Command asked({"--class-update", "sparse"});
  asked.commit(before);
  EXPECT_THAT(result_changes(before, asked.text()), ElementsAre("class-update: was dense, is sparse"));
  Command same({"--class-update", "dense", "--logit-mib", "1048576", "--gamma", "0.1"});
  same.commit(before);
  EXPECT_THAT(result_changes(before, same.text()), IsEmpty()) << "asked for what it has";
}

TEST(Settled, AResumeKeepsTheSampleRateOfItsRunAndMayChangeIt) {
  Command first({"--sample-rate", "0.1"});
  const std::string text = first.text();
  Command again, other({"--sample-rate", "0.2"});
  again.commit(text), other.commit(text);
  EXPECT_THAT(result_changes(text, again.text()), IsEmpty());
  EXPECT_EQ(again.config.sample_rate, 0.1);
  EXPECT_THAT(result_changes(text, other.text()), IsEmpty());
  EXPECT_EQ(other.config.sample_rate, 0.2);
}

TEST(Settled, ANewRunHasTheMemoryFormatThatIsFasterUnlessOneIsGiven) {
  const auto format = [](const std::vector<std::string>& more) {
    Command command(more);
    command.settled();
    return command.config.memory_format;
  };
  EXPECT_EQ(format({}), "channels-last");
  EXPECT_EQ(format({"--memory-format", "contiguous"}), "contiguous");
  EXPECT_EQ(format({"--exact"}), "contiguous");
  EXPECT_EQ(format({"--exact", "--memory-format", "channels-last"}), "channels-last");
}

TEST(Settled, ARunThatHasBegunGoesOnInItsMemoryFormat) {
  const std::string before = "store = s\nbatch = 48\n";  // as versions wrote it that had no choice
  const auto format = [](const std::vector<std::string>& more, const std::string& had) {
    Command command(more);
    command.commit(had);
    command.settled();
    return command.config.memory_format;
  };
  EXPECT_EQ(format({}, before), "contiguous");
  EXPECT_EQ(format({"--memory-format", "auto"}, before), "contiguous");
  EXPECT_EQ(format({}, before + "memory-format = channels-last\n"), "channels-last");
  EXPECT_EQ(format({"--memory-format", "auto"}, before + "memory-format = channels-last\n"), "channels-last");
  EXPECT_EQ(format({"--fresh"}, before), "channels-last");
  Command old, other({"--memory-format", "channels-last"});
  old.commit(before), other.commit(before);
  const std::string kept = old.text();
  EXPECT_THAT(kept, Not(HasSubstr("memory-format")));
  EXPECT_THAT(result_changes(kept, other.text()),
              ElementsAre("memory-format: was contiguous, is channels-last"));
}

}  // namespace
}  // namespace facemae
