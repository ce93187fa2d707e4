#include "core/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace facemae {
namespace {

TEST(Notice, IsAFlagThatUsr2AndTermSet) {
  install_notice_handlers(/*interrupt=*/false);
  EXPECT_EQ(notice_received(), 0);
  std::raise(SIGUSR2);
  EXPECT_EQ(notice_received(), SIGUSR2);
  std::raise(SIGTERM);
  EXPECT_EQ(notice_received(), SIGTERM);
  std::signal(SIGTERM, SIG_DFL);
}

TEST(Notice, AFirstInterruptIsAFlagAndASecondOneEndsTheProcess) {
  install_notice_handlers(/*interrupt=*/true);
  testing::internal::CaptureStderr();
  std::raise(SIGINT);
  EXPECT_EQ(notice_received(), SIGINT);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("again to end it at once"), std::string::npos);
  EXPECT_EXIT(std::raise(SIGINT), testing::KilledBySignal(SIGINT), "");
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace
}  // namespace facemae
