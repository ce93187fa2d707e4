#include "core/failpoint.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "core/error.h"

namespace facemae {
namespace {

TEST(Failpoints, FireOnceAtTheCountThatWasGiven) {
  Failpoints points("save.write#3=kill,load=throw", 0);
  EXPECT_EQ(points.pass("save.write"), std::nullopt);
  EXPECT_EQ(points.pass("save.write"), std::nullopt);
  EXPECT_EQ(points.pass("save.write"), FailAction::Kill);
  EXPECT_EQ(points.pass("save.write"), std::nullopt);
  EXPECT_EQ(points.pass("load"), FailAction::Throw);
  EXPECT_EQ(points.pass("loads"), std::nullopt);
}

TEST(Failpoints, ConcernOneRankWhereOneIsNamed) {
  const std::string text = "step@2#1=stop, step@12=stall";
  EXPECT_TRUE(Failpoints(text, 0).empty());
  EXPECT_EQ(Failpoints(text, 2).pass("step"), FailAction::Stop);
  EXPECT_EQ(Failpoints(text, 12).pass("step"), FailAction::Stall);
}

TEST(Failpoints, RefuseWhatIsNoRule) {
  for (const char* text : {"step", "step=explode", "=kill", "@1=kill", "step@=kill", "step@x=kill",
                           "step#0=kill", "step#2x=kill", "step#1@2=kill"})
    EXPECT_THROW(Failpoints(text, 0), ConfigError) << text;
  EXPECT_TRUE(Failpoints("", 0).empty());
}

TEST(Failpoints, AreCountedOverThreads) {
  Failpoints points("point#4000=throw", 0);
  std::atomic<int> fired = 0;
  {
    const auto pass = [&] {
      for (int i = 0; i < 1000; ++i)
        if (points.pass("point")) ++fired;
    };
    const std::jthread threads[] = {std::jthread(pass), std::jthread(pass), std::jthread(pass),
                                    std::jthread(pass)};
  }
  EXPECT_EQ(fired, 1);
}

TEST(Failpoint, DoesNothingWithoutTheVariable) {
  for (int i = 0; i < 3; ++i) EXPECT_NO_THROW(failpoint("step"));
}

TEST(FailpointDeathTest, DoesWhatTheVariableSays) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a new process reads the variable anew
  const auto with = [](const char* rule) {
    ::setenv("FACEMAE_FAILPOINT", rule, 1);
    ::setenv("OMPI_COMM_WORLD_RANK", "1", 1);
  };
  EXPECT_EXIT((with("step@1#2=kill"), failpoint("step"), failpoint("step")), testing::KilledBySignal(SIGKILL),
              "failpoint step");
  EXPECT_EXIT(
      {
        with("step@1=throw");
        try {
          failpoint("step");
        } catch (const Error&) {
          std::exit(7);
        }
      },
      testing::ExitedWithCode(7), "failpoint step");
  EXPECT_EXIT((with("step@0=kill"), failpoint("step"), std::exit(5)), testing::ExitedWithCode(5), "");
}

}  // namespace
}  // namespace facemae
