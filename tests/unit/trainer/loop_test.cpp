#include "trainer/loop.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(RunState, SurvivesItsText) {
  const RunState state{.skipped = 3,
                       .skipped_in_row = 1,
                       .automatic_weight = 0.123456789012345678,
                       .quarantine = {{2, 640}, {5, 1ULL << 40}}};
  const RunState again = RunState::from_json(state.to_json());
  EXPECT_EQ(again.skipped, 3u);
  EXPECT_EQ(again.skipped_in_row, 1u);
  EXPECT_EQ(again.automatic_weight, state.automatic_weight);
  EXPECT_EQ(again.quarantine, state.quarantine);
}

TEST(RunState, RefusesWhatIsNotOne) {
  EXPECT_THROW(RunState::from_json("[1,"), CheckpointError);
  EXPECT_THROW(RunState::from_json("{}"), CheckpointError);
  EXPECT_THROW(
      RunState::from_json(R"({"skipped":0,"skipped_in_row":0,"automatic_weight":0,"quarantine":[{}]})"),
      CheckpointError);
}

}  // namespace
}  // namespace facemae
