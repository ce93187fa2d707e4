#include <gtest/gtest.h>

#include "cluster/host/agree.h"
#include "cluster/host/device_vote.h"
#include "cluster/host/gather.h"
#include "cluster/host/plan.h"
#include "cluster/mpi/mpi_control.h"
#include "core/error.h"
#include "tests/ranked/cluster/tensors/conformance.h"

namespace facemae {
namespace {

TEST(MpiControl, BroadcastsAnyBytesFromAnyRank) {
  MpiControl control(kLong);
  for (int root = 0; root < control.size(); ++root)
    for (const std::size_t length : {0, 1, 100000}) {
      const std::string want(length, static_cast<char>('a' + root));
      EXPECT_EQ(control.broadcast(control.rank() == root ? want : "mine", root), want);
    }
  const std::string with_zero("a\0b", 3);
  EXPECT_EQ(control.broadcast(control.is_root() ? with_zero : ""), with_zero);
}

TEST(MpiControl, GathersTextsOfUnequalLengths) {
  MpiControl control(kLong);
  const auto text_of = [](int rank) {
    return std::string(static_cast<std::size_t>(rank * rank * 3000), 'x');
  };
  for (int root = 0; root < control.size(); ++root) {
    const auto all = control.gather(text_of(control.rank()), root);
    ASSERT_EQ(all.size(), control.rank() == root ? static_cast<std::size_t>(control.size()) : 0u);
    for (std::size_t r = 0; r < all.size(); ++r) EXPECT_EQ(all[r], text_of(static_cast<int>(r)));
  }
}

TEST(MpiControl, GathersAndBroadcastsValues) {
  MpiControl control(kLong);
  using Value = std::pair<int, std::string>;
  const auto value_of = [](int rank) { return Value(rank, "\xff of rank " + std::to_string(rank)); };
  for (int root = 0; root < control.size(); ++root) {
    const auto all = gather(control, value_of(control.rank()), root);
    ASSERT_EQ(all.size(), control.rank() == root ? static_cast<std::size_t>(control.size()) : 0u);
    for (std::size_t r = 0; r < all.size(); ++r) EXPECT_EQ(all[r], value_of(static_cast<int>(r)));
    EXPECT_EQ(broadcast(control, value_of(control.rank()), root), value_of(root));
  }
}

TEST(MpiControl, VotesWithEveryRanksBits) {
  MpiControl control(kLong);
  EXPECT_EQ(control.any_of(std::uint64_t{1} << (60 + control.rank())),
            ((std::uint64_t{1} << control.size()) - 1) << 60);
  EXPECT_EQ(control.any_of(0), 0u);
  EXPECT_TRUE(control.all_agree(true));
  EXPECT_FALSE(control.all_agree(control.rank() != control.size() - 1));
  EXPECT_TRUE(control.same_everywhere("plan"));
  EXPECT_EQ(control.same_everywhere("plan " + std::to_string(control.rank())), control.size() == 1);
}

TEST(MpiControl, ThrowsPeerLostWhenARankStaysAwayFromABarrier) {
  MpiControl control(kLong), helper(kLong);
  if (control.size() == 1) GTEST_SKIP() << "needs a second rank that stays away";
  const bool late = control.rank() == control.size() - 1;
  if (!late) {
    EXPECT_THROW(control.barrier(std::chrono::milliseconds(200)), PeerLost);
    EXPECT_THROW(control.any_of(0), PeerLost) << "after a failure the ranks are out of step";
  }
  helper.barrier(kLong);
  if (late) control.barrier(kLong);  // lets MPI finish what the others began
}

TEST(Together, EndsAllRanksWithTheLowestFailingRanksError) {
  MpiControl control(kLong);
  int done = 0;
  together(control, [&] { ++done; });
  EXPECT_EQ(done, 1);
  try {
    together(control, [&] {
      if (control.rank() == control.size() - 1) throw DataError("shard 3 is torn");
    });
    ADD_FAILURE() << "no rank failed";
  } catch (const AgreedError& error) {
    EXPECT_NE(std::string(error.what()).find("shard 3 is torn"), std::string::npos);
    EXPECT_EQ(error.code(), ExitCode::BadData);
    EXPECT_EQ(error.kind(), "DataError");
    EXPECT_NE(error.place().find("control_test.cpp"), std::string::npos) << error.place();
  }
}

TEST(Plan, IsPublishedOrRefusedOnAllRanksTogether) {
  MpiControl control(kLong);
  const std::vector<PlannedShard> shards = {{"a.h5", 10, 1000}, {"b.h5", 20, 2000}};
  const auto plan = plan_shards(shards, "digest", 2);
  EXPECT_EQ(serialise(publish(plan, control)), serialise(plan));
  if (control.size() == 1) return;
  const bool other = control.rank() == control.size() - 1;
  EXPECT_THROW(publish(plan_shards(shards, other ? "another" : "digest", 2), control), DataError);
}

TEST(Devices, AHostThatLacksTheOthersGpuIsNamedOnAllRanks) {
  MpiControl control(kLong);
  const int rank = control.rank();
  const auto gpu_of = [](int of) {
    return DeviceReport{.rank = of,
                        .node = of,
                        .host = "host-" + std::to_string(of),
                        .gpu = true,
                        .name = "a GPU",
                        .driver = "CUDA 13.0",
                        .bus = "0000:01:00.0",
                        .bfloat16 = true,
                        .back_ends = {"nccl"}};
  };
  const std::vector<Carrier> carriers = {
      {.name = "nccl",
       .title = "NCCL",
       .obstacle = [](const DeviceReports& reports) { return why_no_gpu_each(reports, "nccl", "NCCL"); }},
      {.name = "mpi", .title = "MPI", .obstacle = [](const auto&) { return ""; }}};
  const auto sound = agree_on_devices(control, gpu_of(rank), "cuda", "auto", carriers);
  EXPECT_EQ(sound.backend, "nccl");
  EXPECT_TRUE(sound.bfloat16);
  if (control.size() == 1) return;
  const int last = control.size() - 1;
  DeviceReport mine = gpu_of(rank);
  if (rank == last)
    mine = {
        .rank = rank, .node = rank, .host = mine.host, .fault = "a dead GPU", .back_ends = mine.back_ends};
  try {
    agree_on_devices(control, mine, "auto", "auto", carriers);
    ADD_FAILURE() << "the job would go on with a CPU among GPUs";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::PeerLost);
    EXPECT_EQ(error.kind(), "DeviceLost");
    const std::string named = "host-" + std::to_string(last) + " (a dead GPU)";
    EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
  }
  EXPECT_EQ(agree_on_devices(control, mine, "mixed", "auto", carriers).backend, "mpi");
  if (rank == last) mine = gpu_of(rank), mine.name = "an older GPU";
  EXPECT_THROW(agree_on_devices(control, mine, "auto", "auto", carriers), ConfigError);
}

}  // namespace
}  // namespace facemae
