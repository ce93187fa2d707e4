// What rank 0 does for 512 ranks on 64 nodes, in one process: how long the plan, the votes and the gathers take.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "cluster/host/agree.h"
#include "cluster/host/control.h"
#include "cluster/host/device_vote.h"
#include "cluster/host/gather.h"
#include "cluster/host/plan.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr int kRanks = 512, kRanksOfNode = 8, kShards = 4096;
constexpr double kLongest = 5;  ///< seconds, of each on a busy machine

/// Rank 0 among others who say what it says, but for what a test has some of them say.
class Crowd final : public Control {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return kRanks; }
  std::string broadcast(std::string from_root, int) override { return from_root; }
  std::vector<std::string> gather(const std::string& mine, int) override {
    std::vector<std::string> all(kRanks, mine);
    if (says) says(all);
    return all;
  }
  std::uint64_t any_of(std::uint64_t mask) override { return mask | others; }
  void barrier(std::chrono::milliseconds) override {}

  std::function<void(std::vector<std::string>&)> says;
  std::uint64_t others = 0;
};

/// Seconds that `work` takes, which are told and must not be many.
void is_quick(const std::string& what, const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%s of %d ranks: %.1f ms\n", what.c_str(), kRanks, seconds * 1e3);
  EXPECT_LT(seconds, kLongest) << what;
}

ShardPlan large_plan() {
  std::vector<PlannedShard> shards;
  shards.reserve(kShards);
  for (int s = 0; s < kShards; ++s)
    shards.push_back(
        {.file = fmt::format("shards/shard-{:06}.h5", s), .images = 65'536, .bytes = 600'000'000});
  return plan_shards(std::move(shards), "digest", kRanks / kRanksOfNode);
}

DeviceReport report_of(int rank) {
  return {.rank = rank,
          .node = rank / kRanksOfNode,
          .host = fmt::format("node{:03}", rank / kRanksOfNode),
          .gpu = true,
          .name = "NVIDIA H100 80GB HBM3",
          .driver = "CUDA 13.0",
          .bus = fmt::format("0000:{:02x}:00.0", rank % kRanksOfNode),
          .bfloat16 = true,
          .back_ends = {"nccl", "mpi"}};
}

const std::vector<Carrier> kNcclThenMpi = {
    {"nccl", "NCCL", [](const DeviceReports& reports) { return why_no_gpu_each(reports, "nccl", "NCCL"); }},
    {"mpi", "MPI", [](const DeviceReports&) { return std::string(); }}};

TEST(Crowd, AgreesOnAPlanOfThousandsOfShards) {
  Crowd crowd;
  const ShardPlan plan = large_plan();
  is_quick("a plan of 4,096 shards", [&] { EXPECT_EQ(serialise(publish(plan, crowd)), serialise(plan)); });
  crowd.says = [](auto& all) { all[311] = all[311].substr(0, all[311].size() - 1) + "x"; };
  is_quick("a plan that one rank has otherwise", [&] { EXPECT_THROW(publish(plan, crowd), std::exception); });
}

TEST(Crowd, AgreesOnItsDevicesAndNamesTheOneThatLacksAGpu) {
  DeviceReports reports;
  for (int rank = 0; rank < kRanks; ++rank) reports.push_back(report_of(rank));
  is_quick("the vote on devices",
           [&] { EXPECT_EQ(vote_on_devices(reports, "auto", "auto", kNcclThenMpi).backend, "nccl"); });
  reports[200].gpu = false;
  reports[200].fault = "GPU cuda:0 fails";
  is_quick("the vote with a broken GPU", [&] {
    const auto vote = vote_on_devices(reports, "auto", "auto", kNcclThenMpi);
    EXPECT_EQ(vote.code, ExitCode::PeerLost);
    EXPECT_NE(vote.refusal.find("node025"), std::string::npos) << vote.refusal;
  });
}

TEST(Crowd, LearnsOfAFailureOnOneRank) {
  Crowd crowd;
  is_quick("work that ends well", [&] { together(crowd, [] {}); });
  crowd.others = 1;
  crowd.says = [](auto& all) { all[400] = "the disk of node 50 is full"; };
  is_quick("work that fails on one rank",
           [&] { EXPECT_EQ(attempt(crowd, [] {}), "rank 400: the disk of node 50 is full"); });
}

TEST(Crowd, GathersValuesOfAllRanks) {
  Crowd crowd;
  const std::map<std::size_t, std::string> mine = {{17, "unreadable"}, {2048, "torn"}};
  is_quick("a gather", [&] { EXPECT_EQ(gather(crowd, mine).size(), static_cast<std::size_t>(kRanks)); });
}

}  // namespace
}  // namespace facemae
