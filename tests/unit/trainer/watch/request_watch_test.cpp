#include "trainer/watch/request_watch.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "core/clock.h"
#include "core/log.h"
#include "tests/temporary_folder.h"
#include "trainer/files/requests.h"

namespace facemae {
namespace {

using std::chrono::milliseconds;

struct RequestWatchTest : testing::Test {
  RequestWatchTest() { spdlog::set_level(spdlog::level::off); }
  static bool soon(const std::function<bool()>& true_now) {
    for (int i = 0; i < 1000 && !true_now(); ++i) std::this_thread::sleep_for(milliseconds(5));
    return true_now();
  }
  const test::TemporaryFolder run;
};

TEST_F(RequestWatchTest, OfOtherRanksAsksForNothing) {
  RequestWatch none;
  none.saved();
  EXPECT_FALSE(none.stop() || none.save() || none.end());
  EXPECT_EQ(none.who(), "");
}

TEST_F(RequestWatchTest, SeesAStopAndItsWithdrawal) {
  const RequestWatch watch(run.path(), milliseconds(5));
  EXPECT_FALSE(watch.stop());
  ask(real_files(), run.path(), Request::Stop);
  EXPECT_TRUE(soon([&] { return watch.stop(); }));
  EXPECT_NE(watch.who(), "");
  real_files().remove(run / "stop");
  EXPECT_TRUE(soon([&] { return !watch.stop(); }));
}

TEST_F(RequestWatchTest, RemovesARequestForASaveOnceItIsAnswered) {
  RequestWatch watch(run.path(), milliseconds(5));
  ask(real_files(), run.path(), Request::Save);
  ASSERT_TRUE(soon([&] { return watch.save(); }));
  EXPECT_TRUE(asked(run.path(), Request::Save)) << "not before";
  watch.saved();
  EXPECT_TRUE(soon([&] { return !asked(run.path(), Request::Save) && !watch.save(); }));
  ask(real_files(), run.path(), Request::Save);
  EXPECT_TRUE(soon([&] { return watch.save(); })) << "the next one is another one";
}

TEST_F(RequestWatchTest, FollowsTheEndOfTheJob) {
  const RequestWatch watch(run.path(), milliseconds(5));
  EXPECT_FALSE(watch.end());
  const auto says = [&](std::int64_t left) {
    write_durably(real_files(), run / "end_time", std::to_string(epoch_seconds() + left) + "\n");
    return soon([&] {
      if (!watch.end()) return false;
      const std::chrono::duration<double> found = *watch.end() - RequestWatch::Clock::now();
      return std::abs(found.count() - static_cast<double>(left)) < 2;
    });
  };
  EXPECT_TRUE(says(1000));
  EXPECT_TRUE(says(100)) << "the limit was changed";
}

}  // namespace
}  // namespace facemae
