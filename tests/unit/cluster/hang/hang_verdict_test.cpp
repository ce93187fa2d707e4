#include "cluster/hang/hang_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A communicator with `pushed` operations of which the first `finished` are complete;
/// `age` of the open ones.
CommunicatorNote ring(const std::string& name, std::uint64_t pushed, std::uint64_t finished, double age = 21,
                      const std::string& what = "all_reduce float32[8]") {
  CommunicatorNote note{.name = name, .pushed = pushed, .started = pushed, .finished = finished, .tail = {}};
  for (std::uint64_t number = pushed > 4 ? pushed - 4 : 1; number <= pushed; ++number)
    note.tail.push_back({.number = number,
                         .what = what,
                         .state = number <= finished ? OperationState::Finished : OperationState::Started,
                         .pushed = age,
                         .started = age,
                         .finished = number <= finished ? age : 0});
  return note;
}

HangReport report(int rank, std::vector<CommunicatorNote> notes, double quiet = 21, double limit = 20,
                  Phase phase = Phase::Step) {
  return {.rank = rank,
          .world = 3,
          .host = "node" + std::to_string(rank),
          .process = 100 + rank,
          .written = 1,
          .cause = quiet >= limit ? HangCause::Deadline : HangCause::Waiting,
          .error = "",
          .at = {.phase = phase,
                 .step = 7,
                 .in_phase = Seconds(quiet),
                 .quiet = Seconds(quiet),
                 .limit = Seconds(limit)},
          .communicators = std::move(notes)};
}

TEST(Verdict, NamesTheRankWithoutAReport) {
  const std::vector reports = {report(0, {ring("gradients", 12, 11)}),
                               report(2, {ring("gradients", 12, 11)})};
  const auto verdict = judge(reports, 3, {.since = {{1, Seconds(20)}}, .borne = Seconds(20)});
  EXPECT_TRUE(verdict.fatal);
  EXPECT_THAT(verdict.ranks, ElementsAre(1));
  EXPECT_THAT(verdict.missing, ElementsAre(1));
  EXPECT_THAT(verdict.text, HasSubstr("rank 1 left no report"));
  EXPECT_THAT(verdict.text,
              HasSubstr("ranks 0 and 2 wait in operation 12 of 'gradients' (all_reduce float32[8])"));
}

TEST(Verdict, HoldsAMissingReportAgainstNobodyAtFirst) {
  const auto waits = [](int rank, double quiet) {
    return report(rank, {ring("gradients", 12, 11)}, quiet, 20);
  };
  EXPECT_FALSE(judge({waits(0, 21), waits(2, 21)}, 3).fatal);
  const Absences before{.since = {{1, Seconds(19)}}, .borne = Seconds(20), .longest = Seconds(600)};
  EXPECT_FALSE(judge({waits(0, 40), waits(2, 40)}, 3, before).fatal);
  EXPECT_TRUE(judge({waits(0, 600), waits(2, 40)}, 3, before).fatal)
      << "somebody has waited for as long as may be";
  auto lost = waits(2, 1);
  lost.cause = HangCause::PeerLost;
  EXPECT_TRUE(judge({waits(0, 1), lost}, 3).fatal);
}

TEST(Verdict, BearsMissingReportsWhileARankThatReadsExplainsTheWait) {
  const Absences long_ago{.since = {{1, Seconds(90)}}, .borne = Seconds(20), .longest = Seconds(600)};
  const auto waits = report(0, {ring("gradients", 12, 11)}, 100);
  const auto reads = [](double quiet) {
    return report(2, {ring("gradients", 11, 11)}, quiet, 600, Phase::Data);
  };
  const auto verdict = judge({waits, reads(100)}, 3, long_ago);
  EXPECT_FALSE(verdict.fatal);
  EXPECT_THAT(verdict.text, HasSubstr("rank 1 left no report"));
  EXPECT_THAT(verdict.text, HasSubstr("waiting for data"));
  EXPECT_TRUE(judge({waits, reads(600)}, 3, long_ago).fatal);
}

TEST(Verdict, NamesTheRankThatHasNotEnteredTheCollective) {
  const auto verdict = judge({report(0, {ring("gradients", 12, 11), ring("control", 5, 5)}),
                              report(1, {ring("gradients", 11, 11), ring("control", 5, 5)}),
                              report(2, {ring("gradients", 12, 11), ring("control", 5, 5)})},
                             3);
  EXPECT_TRUE(verdict.fatal);
  EXPECT_THAT(verdict.ranks, ElementsAre(1));
  EXPECT_THAT(
      verdict.text,
      HasSubstr(
          "rank 1 (host node1, process 101) has not entered it: step (step 7), without progress for 21 s; "
          "its last there is 11"));
}

TEST(Verdict, NamesAllThatLag) {
  const auto verdict = judge(
      {report(0, {ring("batch", 3, 3)}), report(1, {ring("batch", 2, 2)}), report(2, {ring("batch", 4, 3)})},
      3);
  EXPECT_THAT(verdict.ranks, ElementsAre(0, 1));
  EXPECT_THAT(verdict.text, HasSubstr("rank 2 waits in operation 4 of 'batch'"));
}

TEST(Verdict, NamesTheOneThatSkippedACollectiveAndWaitsElsewhere) {
  const auto verdict = judge({report(0, {ring("gradients", 12, 11), ring("control", 5, 5)}),
                              report(1, {ring("gradients", 11, 11), ring("control", 6, 5, 21, "vote")}),
                              report(2, {ring("gradients", 12, 11), ring("control", 5, 5)})},
                             3);
  EXPECT_THAT(verdict.ranks, ElementsAre(1));
  EXPECT_THAT(verdict.text, HasSubstr("it waits in operation 6 of 'control' (vote)"));
}

TEST(Verdict, FollowsTheLongestWaitWhenTwoRanksWaitInDifferentPlaces) {
  const auto verdict = judge({report(0, {ring("gradients", 12, 11, 21.5), ring("control", 5, 5)}),
                              report(1, {ring("gradients", 11, 11), ring("control", 6, 5, 21)})},
                             2);
  EXPECT_THAT(verdict.ranks, ElementsAre(1));
}

TEST(Verdict, BearsARankThatIsWithinItsOwnLimit) {
  const auto waiting = [](int rank) { return report(rank, {ring("gradients", 12, 11)}); };
  const auto verdict =
      judge({waiting(0), report(1, {ring("gradients", 11, 11)}, 25, 600, Phase::Data), waiting(2)}, 3);
  EXPECT_FALSE(verdict.fatal);
  EXPECT_THAT(verdict.ranks, ElementsAre(1));
  EXPECT_THAT(verdict.text, HasSubstr("waiting for data"));
  EXPECT_EQ(verdict.ask_again.count(), 575);
  EXPECT_TRUE(
      judge({waiting(0), report(1, {ring("gradients", 11, 11)}, 600, 600, Phase::Data), waiting(2)}, 3)
          .fatal);
}

TEST(Verdict, AsksAgainWhenTheFirstOfThoseThatLagIsDue) {
  const auto verdict = judge(
      {report(0, {ring("gradients", 12, 11)}), report(1, {ring("gradients", 11, 11)}, 25, 600, Phase::Save),
       report(2, {ring("gradients", 11, 11)}, 17, 20)},
      3);
  EXPECT_FALSE(verdict.fatal);
  EXPECT_EQ(verdict.ask_again.count(), 3);
}

TEST(Verdict, NamesNobodyWhenAllAreInTheSameCollective) {
  const auto verdict = judge({report(0, {ring("gradients", 12, 11)}), report(1, {ring("gradients", 12, 11)}),
                              report(2, {ring("gradients", 12, 11)})},
                             3);
  EXPECT_TRUE(verdict.fatal);
  EXPECT_THAT(verdict.ranks, IsEmpty());
  EXPECT_THAT(verdict.text, HasSubstr("the network or a device makes no progress"));
}

TEST(Verdict, NamesTheRankWhoseCollectiveIsAnother) {
  const auto verdict = judge(
      {report(0, {ring("batch", 12, 11)}), report(1, {ring("batch", 12, 11, 21, "all_gather float32[4]")}),
       report(2, {ring("batch", 12, 11)})},
      3);
  EXPECT_TRUE(verdict.fatal);
  EXPECT_THAT(verdict.ranks, ElementsAre(1));
  EXPECT_THAT(verdict.text, HasSubstr("rank 1 entered that number as all_gather float32[4]"));
}

TEST(Verdict, BlamesTheRanksThemselvesWhenNobodyWaitsForAnother) {
  const auto verdict = judge({report(0, {ring("batch", 3, 3)}), report(1, {ring("batch", 3, 3)})}, 3);
  EXPECT_TRUE(verdict.fatal);
  EXPECT_THAT(verdict.ranks, ElementsAre(0, 1));
  EXPECT_THAT(verdict.text, HasSubstr("rank 2 left no report"));
}

TEST(Verdict, RepeatsTheErrorOfARankThatLostAPeer) {
  auto lost = report(2, {ring("gradients", 12, 11)}, 1, 20);
  lost.cause = HangCause::PeerLost;
  lost.error = "MPI_Allreduce failed: connection reset";
  const auto verdict =
      judge({report(0, {ring("gradients", 12, 11)}, 2), report(1, {ring("gradients", 12, 11)}, 2), lost}, 3);
  EXPECT_TRUE(verdict.fatal) << "although every rank is within its limit";
  EXPECT_THAT(verdict.text, HasSubstr("rank 2: MPI_Allreduce failed: connection reset"));
}

TEST(Verdict, SpeaksOfManyRanksShortly) {
  std::vector<HangReport> reports;
  reports.reserve(40);
  for (int rank = 0; rank < 40; ++rank)
    reports.push_back(report(rank, {ring("gradients", rank == 13 ? 1 : 2, 1)}));
  const auto verdict = judge(reports, 40);
  EXPECT_THAT(verdict.ranks, ElementsAre(13));
  EXPECT_THAT(verdict.text, HasSubstr("ranks 0, 1, 2, 3, 4, 5, 6, 7, ... (39 in all) wait"));
  EXPECT_THAT(verdict.text, Not(HasSubstr("38")));
}

}  // namespace
}  // namespace facemae
