#include "core/clock.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace facemae {
namespace {

constexpr std::int64_t kNoon = 1769860800;  // 2026-01-31 12:00 UTC

class ClockTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "XXX-1", 1);  // an hour ahead of UTC, without a database of zones
    tzset();
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }
};

TEST_F(ClockTest, WritesAndReadsUtc) {
  EXPECT_EQ(utc_text(kNoon), "2026-01-31T12:00:00Z");
  EXPECT_EQ(parse_utc("2026-01-31T12:00:00Z"), kNoon);
  EXPECT_FALSE(parse_utc("2026-01-31"));
}

TEST_F(ClockTest, ReadsLocalTimesOfSeveralForms) {
  EXPECT_EQ(parse_time("2026-01-31T13:00", kNoon), kNoon);
  EXPECT_EQ(parse_time("2026-01-31T13:00:30", kNoon), kNoon + 30);
  EXPECT_EQ(parse_time("1769860800", 0), kNoon);
}

TEST_F(ClockTest, AnHourAloneIsItsNextOccurrence) {
  const std::int64_t at = *parse_time("2026-01-31T12:00", 0);
  EXPECT_EQ(parse_time("13:30", at), at + 5400);
  EXPECT_EQ(parse_time("12:00", at), at + 86400) << "now is not next";
  EXPECT_EQ(parse_time("11:00", at), at + 82800);
}

TEST_F(ClockTest, OtherTextsAreNoTime) {
  for (const char* text : {"", "soon", "25:00", "12:00 ", "2026-13-01T00:00", "1.5"})
    EXPECT_FALSE(parse_time(text, kNoon)) << text;
}

}  // namespace
}  // namespace facemae
