#include "core/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace facemae {
namespace {

TEST(Notice, IsAFlagThatUsr2AndTermSet) {
  install_notice_handlers();
  EXPECT_EQ(notice_received(), 0);
  std::raise(SIGUSR2);
  EXPECT_EQ(notice_received(), SIGUSR2);
  std::raise(SIGTERM);
  EXPECT_EQ(notice_received(), SIGTERM);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace
}  // namespace facemae
