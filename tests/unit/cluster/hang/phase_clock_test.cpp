#include "cluster/hang/phase_clock.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

using Time = PhaseClock::Time;
constexpr Time kNever{};

Time at(double seconds) {
  return Time(std::chrono::duration_cast<PhaseClock::Clock::duration>(Seconds(1000 + seconds)));
}
/// A step that ends `seconds` after `now`, in which no collective ended.
void silent_step(PhaseClock& clock, std::uint64_t next, double& now, double seconds) {
  clock.listen(at(now += seconds), kNever);
  clock.begin_step(next, at(now));
}
double limit_at(const PhaseClock& clock, double now) { return clock.look(at(now), kNever).limit.count(); }

TEST(PhaseClock, GivesEachPhaseItsLimit) {
  PhaseClock clock({.step = Seconds(20), .others = Seconds(600)}, at(0));
  EXPECT_EQ(clock.look(at(1), kNever).phase, Phase::StartUp);
  EXPECT_EQ(limit_at(clock, 1), 600);
  clock.begin_step(8, at(2));
  EXPECT_EQ(clock.look(at(2), kNever).phase, Phase::FirstStep);
  EXPECT_EQ(limit_at(clock, 2), 600);
  clock.begin_step(9, at(3));
  EXPECT_EQ(clock.look(at(3), kNever).step, 9u);
  EXPECT_EQ(limit_at(clock, 3), 600) << "no step has been measured";
  clock.begin_step(10, at(3));
  EXPECT_EQ(limit_at(clock, 3), 20);
  for (const Phase phase : {Phase::Data, Phase::Evaluation, Phase::Save, Phase::Shutdown}) {
    EXPECT_EQ(clock.enter(phase, at(4)), Phase::Step);
    EXPECT_EQ(limit_at(clock, 4), 600) << name_of(phase);
    EXPECT_EQ(clock.enter(Phase::Step, at(5)), phase);
  }
}

TEST(PhaseClock, BearsTheSecondStepOfARunThatComputesLongBetweenCollectives) {
  PhaseClock clock({.step = Seconds(20), .factor = 5, .others = Seconds(600)}, at(0));
  clock.begin_step(1, at(0));
  clock.begin_step(2, at(30));
  EXPECT_FALSE(clock.look(at(59), at(30)).late()) << "computing for 29 s, as in the first step";
  EXPECT_TRUE(clock.look(at(630), at(30)).late()) << "not for ever";
  clock.listen(at(60), at(30));
  clock.begin_step(3, at(60));
  EXPECT_FALSE(clock.look(at(89), at(60)).late());
  EXPECT_NEAR(limit_at(clock, 60), 150, 1e-6);
}

TEST(PhaseClock, BearsAStepForFiveTimesThe99thPercentile) {
  PhaseClock clock({.step = Seconds(20), .others = Seconds(600)}, at(0));
  double now = 0;
  clock.begin_step(1, at(now));
  silent_step(clock, 2, now, 500);  // the first: no measure
  for (std::uint64_t step = 3; step < 103; ++step) silent_step(clock, step, now, 8);
  EXPECT_NEAR(limit_at(clock, now), 40, 1e-6);
  silent_step(clock, 103, now, 90);  // one outlier in a hundred changes nothing
  EXPECT_NEAR(limit_at(clock, now), 40, 1e-6);
  for (std::uint64_t step = 104; step < 110; ++step) silent_step(clock, step, now, 90);
  EXPECT_NEAR(limit_at(clock, now), 450, 1e-6);
  for (std::uint64_t step = 110; step < 120; ++step) silent_step(clock, step, now, 200);
  EXPECT_NEAR(limit_at(clock, now), 600, 1e-6) << "never more than the options say";
  for (std::uint64_t step = 120; step < 400; ++step) silent_step(clock, step, now, 0.1);
  EXPECT_NEAR(limit_at(clock, now), 20, 1e-6) << "old steps are forgotten";
}

TEST(PhaseClock, MeasuresSilenceWithoutEvaluationAndSavesButWithData) {
  PhaseClock clock({.step = Seconds(1), .others = Seconds(600)}, at(0));
  clock.begin_step(1, at(0));
  clock.begin_step(2, at(0));
  clock.enter(Phase::Data, at(1));
  clock.listen(at(3), kNever);
  clock.enter(Phase::Step, at(3));
  clock.listen(at(4), kNever);
  clock.enter(Phase::Save, at(4));
  clock.listen(at(90), kNever);
  clock.enter(Phase::Step, at(90));
  clock.listen(at(91), kNever);
  clock.begin_step(3, at(91));
  EXPECT_NEAR(limit_at(clock, 91), 5 * 4, 1e-6);
}

TEST(PhaseClock, BearsSilenceAndNotTheLengthOfSteps) {
  PhaseClock clock({.step = Seconds(1), .others = Seconds(600)}, at(0));
  clock.begin_step(1, at(0));
  clock.begin_step(2, at(0));
  for (double now = 0.5; now <= 300; now += 0.5)
    clock.listen(at(now), at(now - 2));  // a step of many micro-batches
  clock.begin_step(3, at(300));
  EXPECT_NEAR(limit_at(clock, 300), 5 * 2, 1e-6);
}

TEST(PhaseClock, ListensForOthersFromHalfOfTheLimitOfAStep) {
  PhaseClock clock({.step = Seconds(20), .others = Seconds(600)}, at(0));
  EXPECT_EQ(clock.look(at(0), kNever).listens.count(), 10);
  clock.begin_step(1, at(0));
  clock.begin_step(2, at(0));
  clock.listen(at(30), kNever);
  clock.begin_step(3, at(30));
  EXPECT_NEAR(clock.look(at(30), kNever).listens.count(), 75, 1e-6);
  clock.enter(Phase::Data, at(31));
  clock.enter(Phase::Step, at(40));
  EXPECT_NEAR(clock.look(at(50), kNever).silence.count(), 20, 1e-6)
      << "images are no sign of the other ranks";
  EXPECT_NEAR(clock.look(at(50), at(45)).silence.count(), 5, 1e-6);
}

TEST(PhaseClock, CountsFromTheLastProgress) {
  PhaseClock clock({.step = Seconds(20)}, at(0));
  clock.begin_step(1, at(0));
  clock.begin_step(2, at(9));
  clock.begin_step(3, at(10));
  EXPECT_FALSE(clock.look(at(29), kNever).late());
  EXPECT_TRUE(clock.look(at(30), kNever).late());
  EXPECT_FALSE(clock.look(at(30), at(15)).late()) << "a collective ended since";
  EXPECT_TRUE(clock.look(at(35), at(15)).late());
  EXPECT_NEAR(clock.look(at(35), at(15)).in_phase.count(), 25, 1e-6);
  clock.restart(at(36));
  EXPECT_FALSE(clock.look(at(55), at(15)).late()) << "the process was stopped";
  EXPECT_TRUE(clock.look(at(56), at(15)).late());
}

TEST(PhaseClock, KeepsALimitAboveTheOthersIfAsked) {
  PhaseClock clock({.step = Seconds(900), .others = Seconds(600)}, at(0));
  clock.begin_step(1, at(0));
  clock.begin_step(2, at(1));
  EXPECT_EQ(limit_at(clock, 1), 900);
  clock.begin_step(3, at(2));
  EXPECT_EQ(limit_at(clock, 2), 900);
}

}  // namespace
}  // namespace facemae
