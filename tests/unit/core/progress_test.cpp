#include "core/progress.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(Progress, EndsWithCountRateAndTime) {
  testing::internal::CaptureStderr();
  {
    Progress progress("packing", 1200, "images");
    progress.advance(1200, "2 rejected");
    progress.finish();
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("packing  1,200 of 1,200 images"), std::string::npos) << text;
  EXPECT_NE(text.find("2 rejected"), std::string::npos) << text;
}

TEST(Progress, IsSilentWhenNotWanted) {
  testing::internal::CaptureStderr();
  Progress progress("packing", 10, "images", false);
  progress.advance(10);
  progress.finish();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace facemae
