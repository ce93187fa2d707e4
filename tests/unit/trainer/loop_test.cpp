#include "trainer/loop.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(RunState, SurvivesItsText) {
  const RunState state{.skipped = 3, .skipped_in_row = 1, .automatic_weight = 0.123456789012345678};
  const RunState again = RunState::from_json(state.to_json());
  EXPECT_EQ(again.skipped, 3u);
  EXPECT_EQ(again.skipped_in_row, 1u);
  EXPECT_EQ(again.automatic_weight, state.automatic_weight);
}

TEST(RunState, RefusesWhatIsNotOne) { EXPECT_THROW(RunState::from_json("[1,"), CheckpointError); }

}  // namespace
}  // namespace facemae
