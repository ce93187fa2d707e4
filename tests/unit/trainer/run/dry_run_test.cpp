#include "trainer/run/dry_run.h"

#include <gmock/gmock.h>

namespace facemae {
namespace {

using testing::ElementsAre;

TEST(DryRun, TellsOfTheLearningRateWhatItsOptionsMean) {
  RunConfig run;
  run.batch = 100, run.steps = 1000, run.lr = 0.4, run.schedule = "polynomial", run.warmup = 0;
  EXPECT_THAT(rate_lines(run, 5000), ElementsAre("peak 0.4, polynomial schedule", "no warm-up"));
  run.power = 2, run.warmup_epochs = 2;
  EXPECT_THAT(rate_lines(run, 5000), ElementsAre("peak 0.4, polynomial schedule with power 2",
                                                 "warm-up from zero over 100 steps, 10 % of the run"));
  run.schedule = "multistep", run.warmup_epochs = {}, run.warmup_steps = 25, run.milestones = {6, 12};
  EXPECT_THAT(rate_lines(run, 5000),
              ElementsAre("peak 0.4, multistep schedule", "warm-up from zero over 25 steps, 2.5 % of the run",
                          "0.04 after step 300, 0.004 after step 600"));
}

TEST(DryRun, TellsOfARateOfTheClassesWhenTheyHaveOne) {
  RecognizeConfig config;
  config.common.batch = 100, config.common.steps = 1000, config.common.lr = 0.4, config.common.warmup = 0;
  EXPECT_THAT(rate_lines(run_config_of(config), 5000), testing::SizeIs(2));
  config.class_lr = 0.2, config.common.optimizer.weight_decay = 5e-4;
  EXPECT_THAT(rate_lines(run_config_of(config), 5000),
              testing::Contains("class centres on the same curve: peak 0.2, weight decay 0.0005"));
  config.class_weight_decay = 0;
  EXPECT_THAT(rate_lines(run_config_of(config), 5000),
              testing::Contains("class centres on the same curve: peak 0.2, weight decay 0"));
}

/// An epoch may end within a step: the first one that begins behind it has the new rate.
TEST(DryRun, NamesTheFirstStepOfANewRate) {
  RunConfig run;
  run.batch = 64, run.epochs = 3, run.lr = 1, run.schedule = "multistep", run.warmup = 0,
  run.milestones = {1};
  const std::uint64_t images = 1000;
  const Schedule curve = run.schedule_for(images);
  EXPECT_EQ(curve.at(15 * 64), 1);
  EXPECT_DOUBLE_EQ(curve.at(16 * 64), 0.1);
  EXPECT_THAT(rate_lines(run, images), testing::Contains("0.1 after step 16"));
}

}  // namespace
}  // namespace facemae
