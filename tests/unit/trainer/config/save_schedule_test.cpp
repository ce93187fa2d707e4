#include "trainer/config/save_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "trainer/config/run_clock.h"

namespace facemae {
namespace {

/// Part of the time that is lost when `cost` is paid every `interval` and failures, `mtbf` apart on average,
/// throw away what was done since: Daly's model with exponential failures and no time to restart.
double lost(double interval, double cost, double mtbf) {
  return mtbf * std::expm1((interval + cost) / mtbf) / interval - 1;
}

TEST(DalyInterval, LosesLeastTimeOfAll) {
  for (const auto& [cost, mtbf] : {std::pair{1.0, 86400.0}, {30.0, 3600.0}, {0.01, 600.0}}) {
    const double best = daly_interval(cost, mtbf);
    for (const double factor : {0.8, 0.9, 1.1, 1.25})
      EXPECT_GT(lost(best * factor, cost, mtbf), lost(best, cost, mtbf)) << cost << " s, " << factor;
    EXPECT_NEAR(best / std::sqrt(2 * cost * mtbf), 1, 0.1) << "Young's is its leading term";
  }
  EXPECT_EQ(daly_interval(100, 10), 10) << "saves that cost more than a failure does";
}

TEST(SaveSchedule, IsDueEveryNthStepAlsoWhenOneWasMissed) {
  const SaveSchedule schedule{.every_steps = 10, .every_seconds = {}, .mtbf_seconds = {}};
  EXPECT_FALSE(schedule.due({.step = 9, .last_save_step = 0}));
  EXPECT_TRUE(schedule.due({.step = 10, .last_save_step = 0}));
  EXPECT_TRUE(schedule.due({.step = 12, .last_save_step = 0})) << "10 was postponed";
  EXPECT_FALSE(schedule.due({.step = 19, .last_save_step = 12})) << "steps stay multiples of 10";
  EXPECT_TRUE(schedule.due({.step = 20, .last_save_step = 12}));
}

TEST(SaveSchedule, IsDueByTimeAndNeverWithoutAStep) {
  const SaveSchedule schedule{.every_steps = 0, .every_seconds = 60, .mtbf_seconds = {}};
  EXPECT_FALSE(schedule.due({.step = 1000, .last_save_step = 1, .since_save = 59}));
  EXPECT_TRUE(schedule.due({.step = 1000, .last_save_step = 1, .since_save = 60}));
  EXPECT_FALSE(schedule.due({.step = 1, .last_save_step = 1, .since_save = 3600})) << "nothing is new";
}

TEST(SaveSchedule, FollowsTheMeasuredCostAndLeavesASaveTheTimeItTakes) {
  const SaveSchedule schedule{.every_steps = 0, .every_seconds = {}, .mtbf_seconds = 3600};
  const auto due = [&](double since, std::uint64_t saves, double stalled, double seconds) {
    return schedule.due({.step = 2,
                         .last_save_step = 1,
                         .since_save = since,
                         .saves = saves,
                         .stalled = stalled,
                         .save_seconds = seconds});
  };
  EXPECT_FALSE(due(59, 0, 0, 0));
  EXPECT_TRUE(due(60, 0, 0, 0)) << "a first one tells what it costs";
  const double interval = daly_interval(2, 3600);
  EXPECT_FALSE(due(interval - 1, 3, 6, 10)) << "6 s in 3 saves";
  EXPECT_TRUE(due(interval + 1, 3, 6, 10));
  EXPECT_FALSE(due(interval + 1, 3, 6, interval)) << "not before twice a save's own length";
}

TEST(RunClock, StopsInTimeForACommit) {
  EXPECT_EQ(seconds_to_stop(10, 1), 76) << "a minute, one and a half saves and a step";
  RunClock unlimited({}, {});
  EXPECT_FALSE(unlimited.out_of_time(1, 1e6));
  RunClock over(0.0, {});
  EXPECT_TRUE(over.out_of_time(0, 0));
  RunClock at_the_end({}, 0);  // in 1970
  EXPECT_TRUE(at_the_end.out_of_time(0, 0));
}

TEST(RunClock, StopsBeforeTheEndOfTheJobWhichMayMove) {
  using std::chrono::seconds;
  const auto in = [](int left) { return RunClock::Clock::now() + seconds(left); };
  RunClock clock({}, {});
  EXPECT_FALSE(clock.out_of_time(0, 0, in(70)));
  EXPECT_TRUE(clock.out_of_time(0, 0, in(50))) << "the limit was lowered";
  EXPECT_FALSE(clock.out_of_time(0, 0, in(3600))) << "and raised again";
  EXPECT_FALSE(clock.out_of_time(0, 0, {})) << "nobody says";
  RunClock both({}, 0);
  EXPECT_TRUE(both.out_of_time(0, 0, in(3600))) << "the earlier end counts";
  RunClock slow({}, {});
  EXPECT_TRUE(slow.out_of_time(1, 100, in(200))) << "a save of 100 s needs 150 and a minute";
  RunClock fast({}, {});
  EXPECT_FALSE(fast.out_of_time(1, 10, in(200)));
}

TEST(RecentSeconds, TellsWhatNinetyNinePercentDoNotExceed) {
  RecentSeconds some;
  EXPECT_EQ(some.p99(), 0);
  for (int i = 0; i < 3; ++i) some.add(i);
  EXPECT_EQ(some.p99(), 2) << "of few the longest";
  RecentSeconds many;
  for (int i = 0; i < 5; ++i) many.add(1000);  // long ago
  for (int i = 1; i <= 1000; ++i) many.add(i);
  EXPECT_EQ(many.p99(), 990);
}

}  // namespace
}  // namespace facemae
