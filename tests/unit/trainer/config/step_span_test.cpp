#include "trainer/config/step_span.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(StepSpan, IsTwoStepsOrOne) {
  EXPECT_EQ(step_span("20-25"), (StepSpan{20, 25}));
  EXPECT_EQ(step_span("7"), (StepSpan{7, 7}));
  EXPECT_EQ(step_span("7-7"), (StepSpan{7, 7}));
}

TEST(StepSpan, RefusesAnythingElse) {
  for (const char* text :
       {"", "0-3", "5-3", "-3", "3-", "3-x", "x", "3:5", "3-5-7", "1.5", "99999999999999999999"})
    EXPECT_FALSE(step_span(text)) << text;
}

}  // namespace
}  // namespace facemae
