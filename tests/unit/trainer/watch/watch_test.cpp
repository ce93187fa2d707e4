#include "trainer/watch/watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/log.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

constexpr int kRank = 1;
const std::vector<std::string> kHosts = {"n1", "n1", "n2"};

struct LostPeer : testing::Test {
  LostPeer() {
    spdlog::set_level(spdlog::level::off);
    start = run.begin_start(3, false).start;
  }
  test::TemporaryFolder folder;
  RunFolder run{folder.path()};
  std::uint32_t start = 0;
  Verdict verdict{.fatal = true, .ranks = {2}, .text = "rank 2 left no report", .tells = true};
};

TEST_F(LostPeer, IsToldByTheRankThatTells) {
  verdict.tells = false;
  note_lost_peer(run, {.start = start}, verdict, kRank, kHosts, std::chrono::milliseconds(0));
  EXPECT_NE(run.read_outcome()->reason, verdict.text);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "exits" / fmt::format("{:08}", start) / "rank1.json"));
  verdict.tells = true;
  note_lost_peer(run, {.start = start}, verdict, kRank, kHosts);
  EXPECT_EQ(run.read_outcome()->reason, verdict.text);
  EXPECT_EQ(run.read_outcome()->code, ExitCode::PeerLost);
  EXPECT_EQ(run.read_outcome()->kind, "PeerLost");
}

TEST_F(LostPeer, IsToldBeforeTheOtherRanksEndSinceThatEndsTheJob) {
  Verdict heard = verdict;
  heard.tells = false;
  std::jthread teller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    note_lost_peer(run, {.start = start}, verdict, 0, kHosts);
  });
  note_lost_peer(run, {.start = start}, heard, kRank, kHosts, std::chrono::minutes(1));
  EXPECT_EQ(run.read_outcome()->reason, verdict.text);
  EXPECT_EQ(run.outcomes().back().reason, verdict.text);
}

TEST_F(LostPeer, IsNotWaitedForWhenAnotherStartHasTheRun) {
  run.begin_start(3, false);
  verdict.tells = false;
  const auto begun = std::chrono::steady_clock::now();
  note_lost_peer(run, {.start = start}, verdict, kRank, kHosts, std::chrono::minutes(1));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

TEST_F(LostPeer, IsBlamedOnTheHostsOfTheRanksThatKeepTheOthersWaiting) {
  verdict.missing = {2};
  note_lost_peer(run, {.start = start}, verdict, kRank, kHosts);
  EXPECT_EQ(run.read_outcome()->blame.hosts, std::vector<std::string>{"n2"});
  EXPECT_EQ(run.read_outcome()->blame.evidence, "peer") << "it may have died through no fault of its own";
  verdict.missing = {};
  note_lost_peer(run, {.start = start}, verdict, kRank, kHosts);
  EXPECT_EQ(run.read_outcome()->blame.evidence, "hang") << "it reported, and is slow";
}

TEST_F(LostPeer, IsBlamedOnNobodyWhereThatSaysNothing) {
  for (const std::vector<int>& ranks : {std::vector<int>{}, {0, 2}, {7}}) {
    verdict.ranks = ranks;
    note_lost_peer(run, {.start = start}, verdict, kRank, kHosts);
    EXPECT_TRUE(run.read_outcome()->blame.hosts.empty()) << "nobody, all hosts, or a rank that is not there";
  }
}

TEST_F(LostPeer, NamesTheNewestStepThatARestartFinds) {
  const Path checkpoints = folder.path() / "checkpoints";
  for (const CheckpointId id : {CheckpointId{5, start}, CheckpointId{9, start}}) {
    make_folders(real_files(), checkpoints / folder_name(id));
    write_whole(real_files(), checkpoints / folder_name(id) / "COMMIT", "");
  }
  Fence second = run.begin_start(3, false);
  run.decide(second, CheckpointId{5, start});  // 9 was damaged
  note_lost_peer(run, {.start = second.start}, verdict, kRank, kHosts);
  EXPECT_EQ(run.read_outcome()->step, 5u);
}

TEST_F(LostPeer, LeavesTheOutcomeOfANewerStartAlone) {
  const auto newer = run.begin_start(3, false).start;
  ASSERT_GT(newer, start);
  note_lost_peer(run, {.start = start}, verdict, kRank, kHosts);
  EXPECT_EQ(run.read_outcome()->start, newer);
}

TEST_F(LostPeer, LeavesABetterReasonAlone) {
  run.write_outcome({.start = start, .code = ExitCode::BadData, .kind = "DataError", .reason = "an image"});
  note_lost_peer(run, {.start = start}, verdict, kRank, kHosts);
  EXPECT_EQ(run.read_outcome()->code, ExitCode::BadData);
}

}  // namespace
}  // namespace facemae
