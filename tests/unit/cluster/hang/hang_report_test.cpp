#include "cluster/hang/hang_report.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(HangReport, SurvivesItsText) {
  OperationRing gradients("gradients");
  gradients.start(gradients.push("all_reduce \"a\""));
  gradients.finish(1);
  gradients.start(gradients.push("all_reduce b"));
  gradients.push("all_reduce c");
  const auto now = PhaseClock::Clock::now() + std::chrono::seconds(3);
  const HangReport written{.rank = 2,
                           .world = 3,
                           .host = "node",
                           .process = 42,
                           .written = 1'700'000'000'123'456'789,
                           .cause = HangCause::PeerLost,
                           .error = "line\nbreak",
                           .at = {.phase = Phase::Evaluation,
                                  .step = 7,
                                  .in_phase = Seconds(4),
                                  .quiet = Seconds(3.5),
                                  .limit = Seconds(600)},
                           .communicators = {note_of(gradients.snapshot(), now)}};
  const HangReport again = parse_hang_report(to_json(written));
  EXPECT_EQ(to_json(again), to_json(written));
  EXPECT_EQ(again.rank, 2);
  EXPECT_EQ(again.at.phase, Phase::Evaluation);
  EXPECT_EQ(again.written, written.written);
  ASSERT_EQ(again.communicators.size(), 1u);
  ASSERT_NE(again.communicators[0].waiting_in(), nullptr);
  EXPECT_EQ(again.communicators[0].waiting_in()->number, 2u);
  EXPECT_EQ(again.communicators[0].waiting_in()->what, "all_reduce b");
  EXPECT_NEAR(again.communicators[0].tail[2].pushed, 3, 1);
}

TEST(HangReport, RefusesWhatIsNone) {
  EXPECT_THROW(parse_hang_report(""), Error);
  EXPECT_THROW(parse_hang_report("{}"), Error);
  auto text = to_json(HangReport{});
  EXPECT_NO_THROW(parse_hang_report(text));
  text.replace(text.find("\"step\""), 6, "\"stop\"");
  EXPECT_THROW(parse_hang_report(text), Error);
}

}  // namespace
}  // namespace facemae
