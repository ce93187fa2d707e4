#include "trainer/run/vote.h"

#include <gtest/gtest.h>

#include "trainer/run/saves.h"

namespace facemae {
namespace {

TEST(Vote, SurvivesItsBitsAndJoinsThoseOfOthers) {
  for (unsigned flags = 0; flags < 16; ++flags) {
    const Vote own{.stop = (flags & 1) != 0,
                   .not_finite = (flags & 2) != 0,
                   .shard_failed = (flags & 4) != 0,
                   .saving = (flags & 8) != 0 ? Saves::kDue : 0};
    const Vote again = Vote::of(own.bits() | Vote{.saving = Saves::kBusy}.bits());
    EXPECT_EQ(again.stop, own.stop);
    EXPECT_EQ(again.not_finite, own.not_finite);
    EXPECT_EQ(again.shard_failed, own.shard_failed);
    EXPECT_EQ(again.saving, own.saving | Saves::kBusy);
  }
}

TEST(NextAfter, IsToGoOnToEvaluateToSaveOrToEnd) {
  const LoopPlan plan{.first = 0, .last = 10, .stop_after = 7, .evaluate_every = 4};
  LoopPlan due_there = plan;  // --stop-after where an evaluation is due
  due_there.stop_after = 8;
  const Vote none, stop{.stop = true}, due{.saving = Saves::kDue};
  struct Case {
    const char* what;
    std::uint64_t done;
    Vote vote;
    bool skipped, in_flight;
    std::string next;  // s: stops, e: ends, x: the step does not stand, v: evaluates, w: saves
  };
  const std::vector<Case> cases = {
      {"an ordinary step", 1, none, false, false, ""},
      {"a save is due", 1, due, false, false, "w"},
      {"a save is due, one is under way", 1, due, false, true, ""},
      {"a save is due, the step was skipped", 1, due, true, false, "x"},
      {"an evaluation is due", 4, none, false, false, "v"},
      {"an evaluation is due, the step was skipped", 4, none, true, false, "xv"},
      {"a notice", 3, stop, false, false, "sew"},
      {"a notice: no evaluation", 4, stop, false, false, "sew"},
      {"a notice while a save is under way", 3, stop, false, true, "sew"},
      {"a notice, the step was skipped", 3, stop, true, false, "sex"},
      {"--stop-after", 7, none, false, false, "sew"},
      {"--stop-after, an evaluation is due", 8, none, false, false, "sevw"},
      {"--stop-after with a notice: no evaluation", 8, stop, false, false, "sew"},
      {"--stop-after, an evaluation is due, the step was skipped", 8, none, true, false, "sex"},
      {"the last step", 10, none, false, false, "evw"},
      {"the last step, with a notice", 10, stop, false, false, "evw"},
      {"the last step was skipped", 10, none, true, false, "ex"},
  };
  for (const auto& [what, done, vote, skipped, in_flight, expected] : cases) {
    const Next next = next_after(done, vote, done == 8 ? due_there : plan, skipped, in_flight);
    const std::string got = std::string(next.stops ? "s" : "") + (next.ends ? "e" : "") +
                            (next.stands ? "" : "x") + (next.evaluates ? "v" : "") + (next.saves ? "w" : "");
    EXPECT_EQ(got, expected) << what;
  }
}

}  // namespace
}  // namespace facemae
