#include "core/log.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(Log, PutsTheRankIntoEveryLineAndKeepsOtherRanksQuiet) {
  testing::internal::CaptureStderr();
  start_logging("info", 3, 4);
  spdlog::info("hidden");
  spdlog::warn("shown");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("hidden"), std::string::npos);
  EXPECT_NE(text.find("[rank 3] shown"), std::string::npos) << text;
}

TEST(Log, RefusesAnUnknownLevelWithTheNearest) {
  try {
    start_logging("inf", 0, 1);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean info?"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace facemae
