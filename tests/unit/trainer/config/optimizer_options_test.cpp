#include <gmock/gmock.h>

#include "core/files/files.h"
#include "tests/temporary_folder.h"
#include "tests/unit/trainer/config/parsed.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string optimizer_faults(const std::vector<std::string>& words) {
  RecognizeConfig config;
  return test::faults_of(words, config);
}

TEST(OptimizerOptions, RefuseMilestonesThatMeanNothing) {
  const auto with = [](std::vector<std::string> words) {
    words.insert(words.end(), {"--epochs", "26", "--schedule", "multistep"});
    return optimizer_faults(words);
  };
  EXPECT_EQ(with({"--milestones", "12", "20", "24"}), "");
  EXPECT_EQ(with({"--milestones", "0.5", "0.9", "--gamma", "0.5"}), "");
  EXPECT_THAT(with({"--milestones", "0.5", "12"}), HasSubstr("do not mix them"));
  EXPECT_THAT(with({"--milestones", "20", "12"}), HasSubstr("in ascending order"));
  EXPECT_THAT(with({"--milestones", "12", "12"}), HasSubstr("in ascending order"));
  EXPECT_THAT(with({"--milestones", "0", "0.5"}), HasSubstr("above 0"));
  EXPECT_THAT(with({"--milestones", "12", "26"}),
              HasSubstr("epoch 26 is not before the end of the run, --epochs 26"));
  EXPECT_THAT(with({"--milestones", "12,20,24"}), HasSubstr("blanks part the numbers"));
  EXPECT_THAT(with({"--gamma", "0"}), HasSubstr("--gamma must be above 0"));
  EXPECT_THAT(optimizer_faults({"--milestones", "12"}),
              HasSubstr("--milestones are for `--schedule multistep`"));
}

TEST(OptimizerOptions, RefuseWhatHasNoEffect) {
  EXPECT_THAT(optimizer_faults({"--gamma", "0.2"}), HasSubstr("--gamma is for `--schedule multistep`"));
  EXPECT_THAT(optimizer_faults({"--power", "2"}), HasSubstr("--power is for `--schedule polynomial`"));
  EXPECT_EQ(optimizer_faults({"--power", "2", "--schedule", "polynomial"}), "");
  EXPECT_EQ(optimizer_faults({"--gamma", "0.1", "--power", "1"}), "")
      << "as every written configuration says";
  EXPECT_THAT(optimizer_faults({"--nesterov"}), HasSubstr("--nesterov is a kind of momentum"));
  EXPECT_THAT(optimizer_faults({"--nesterov", "--optimizer", "sgd", "--momentum", "0"}),
              HasSubstr("--nesterov is a kind of momentum"));
  EXPECT_EQ(optimizer_faults({"--nesterov", "--optimizer", "sgd"}), "");
  EXPECT_THAT(optimizer_faults({"--decay", "biases"}), HasSubstr("\"biases\" is unknown"));
}

TEST(OptimizerOptions, TakeOneLengthOfTheWarmUpThatIsShorterThanTheRun) {
  EXPECT_EQ(optimizer_faults({"--warmup-epochs", "0.5", "--epochs", "2"}), "");
  EXPECT_EQ(optimizer_faults({"--warmup-epochs", "0"}), "");
  for (const std::vector<std::string>& two :
       {std::vector<std::string>{"--warmup", "0.1", "--warmup-epochs", "1"},
        {"--warmup", "0.1", "--warmup-steps", "1"},
        {"--warmup-epochs", "1", "--warmup-steps", "1"}})
    EXPECT_THAT(optimizer_faults(two), HasSubstr("give one of --warmup, --warmup-epochs and --warmup-steps"));
  EXPECT_THAT(optimizer_faults({"--warmup-epochs", "2", "--epochs", "2"}),
              HasSubstr("lower --warmup-epochs"));
  EXPECT_THAT(optimizer_faults({"--warmup-steps", "100"}), HasSubstr("lower --warmup-steps"));
}

TEST(OptimizerOptions, ThatAWrittenConfigurationHasAreReadBack) {
  RecognizeConfig config, again;
  EXPECT_EQ(test::faults_of({"--schedule", "multistep", "--milestones", "8", "12", "--warmup-epochs", "1",
                             "--epochs", "20"},
                            config),
            "");
  CommonOptions common;
  Options written("", ""), read("", "");
  declare(written, config);
  written.parse({}, common);
  const std::string text = written.text();
  EXPECT_THAT(text, HasSubstr("milestones = 8 12\n"));
  EXPECT_THAT(text, HasSubstr("warmup = 0.05\nwarmup-epochs = 1\n"));
  const test::TemporaryFolder folder;
  const std::vector<std::string> words = {"--config", (folder / "config.txt").string()};
  write_durably(real_files(), folder / "config.txt", text);
  declare(read, again);
  read.parse(words, common);
  validate(read, again);
  EXPECT_NO_THROW(read.finish());
  EXPECT_EQ(read.text(), text);
  EXPECT_THAT(again.common.milestones, ElementsAre(8, 12));
}

TEST(RunConfig, HasItsWarmUpAndMilestonesInPartsOfTheRun) {
  RunConfig run;
  run.batch = 10, run.epochs = 20, run.lr = 1, run.schedule = "multistep";
  EXPECT_DOUBLE_EQ(run.schedule_for(1000).warmup, 0.05);
  run.warmup_epochs = 2;
  run.milestones = {12, 16};
  EXPECT_DOUBLE_EQ(run.schedule_for(1000).warmup, 0.1);
  EXPECT_THAT(run.schedule_for(1000).milestones, ElementsAre(0.6, 0.8));
  run.warmup_epochs = {}, run.warmup_steps = 500;
  EXPECT_DOUBLE_EQ(run.schedule_for(1000).warmup, 0.25);
  run.milestones = {0.25, 0.5};
  EXPECT_THAT(run.schedule_for(1000).milestones, ElementsAre(0.25, 0.5));
}

TEST(RunConfig, RefusesASchedulesEndThatTheStoreDoesNotReach) {
  RunConfig run;
  run.batch = 10, run.steps = 200, run.lr = 1, run.schedule = "multistep";
  const auto fault = [&](std::uint64_t images) {
    try {
      run.schedule_for(images);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  run.milestones = {1};
  EXPECT_EQ(fault(1000), "");
  EXPECT_THAT(fault(2000), HasSubstr("epoch 1 is not before the end of the run of 200 steps"));
  run.milestones = {}, run.warmup_epochs = 2;
  EXPECT_EQ(fault(900), "");
  EXPECT_THAT(fault(1000), HasSubstr("lower --warmup-epochs"));
}

}  // namespace
}  // namespace facemae
