#include "cluster/host/device_vote.h"

#include <gmock/gmock.h>

#include "cluster/host/agree.h"

namespace facemae {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<Carrier> kCarriers = {
    {.name = "nccl",
     .title = "NCCL",
     .obstacle = [](const DeviceReports& reports) { return why_no_gpu_each(reports, "nccl", "NCCL"); }},
    {.name = "mpi", .title = "MPI", .obstacle = [](const DeviceReports&) { return ""; }}};

DeviceVote vote(const DeviceReports& reports, const std::string& device, const std::string& backend) {
  return vote_on_devices(reports, device, backend, kCarriers);
}

/// `nodes` hosts n0, n1, ... with as many ranks as GPUs each.
std::vector<DeviceReport> cluster(int nodes, int gpus) {
  std::vector<DeviceReport> ranks;
  for (int node = 0; node < nodes; ++node)
    for (int gpu = 0; gpu < gpus; ++gpu)
      ranks.push_back({.rank = node * gpus + gpu,
                       .node = node,
                       .host = "n" + std::to_string(node),
                       .gpu = true,
                       .name = "H100",
                       .driver = "CUDA 13.0",
                       .bus = "0000:" + std::to_string(gpu) + ":00.0",
                       .bfloat16 = true,
                       .back_ends = {"nccl", "mpi"}});
  return ranks;
}
void lose_gpu(DeviceReport& report, const std::string& fault = "GPU cuda:3 fails") {
  report = {.rank = report.rank,
            .node = report.node,
            .host = report.host,
            .fault = fault,
            .back_ends = report.back_ends};
}
std::vector<DeviceReport> processors(int nodes) {
  auto ranks = cluster(nodes, 2);
  for (auto& rank : ranks) lose_gpu(rank, "the machine has no NVIDIA driver");
  return ranks;
}

TEST(DeviceVote, TakesNcclWhereEveryRankHasAGpuToItself) {
  for (const char* device : {"auto", "cuda", "mixed"})
    for (const char* backend : {"auto", "nccl"}) {
      const auto got = vote(cluster(3, 8), device, backend);
      EXPECT_THAT(got.refusal, IsEmpty());
      EXPECT_THAT(got.warning, IsEmpty());
      EXPECT_EQ(got.backend, "nccl");
      EXPECT_TRUE(got.bfloat16);
    }
  EXPECT_EQ(vote(cluster(1, 1), "auto", "auto").backend, "nccl");
}

TEST(DeviceVote, GoesByTheAddressesOfGpusNotByHowManyARankSees) {
  auto one_visible_each = cluster(2, 8);  // as Slurm's --gpus-per-task has it: all are device 0 to their rank
  EXPECT_EQ(vote(one_visible_each, "cuda", "auto").backend, "nccl");
  for (auto& rank : one_visible_each) rank.host = "same-name-in-every-container";
  EXPECT_EQ(vote(one_visible_each, "cuda", "auto").backend, "nccl");
}

TEST(DeviceVote, TakesMpiOnCpus) {
  for (const char* device : {"auto", "cpu", "mixed"}) {
    const auto got = vote(processors(2), device, "auto");
    EXPECT_EQ(got.backend, "mpi");
    EXPECT_THAT(got.refusal, IsEmpty());
    EXPECT_THAT(got.warning, IsEmpty());
    EXPECT_FALSE(got.bfloat16);
  }
}

TEST(DeviceVote, NamesTheHostThatLacksWhatTheOthersHave) {
  for (const char* device : {"auto", "cuda"})
    for (const char* backend : {"auto", "nccl", "mpi"}) {
      auto ranks = cluster(64, 8);
      lose_gpu(ranks[8 * 41 + 3]);
      const auto got = vote(ranks, device, backend);
      EXPECT_EQ(got.code, ExitCode::PeerLost);
      EXPECT_THAT(got.refusal, AllOf(HasSubstr("1 of 512 ranks"), HasSubstr("n41 (GPU cuda:3 fails)"),
                                     HasSubstr("--device mixed")));
      EXPECT_THAT(got.refusal, Not(HasSubstr("n40")));
    }
  auto half = cluster(40, 1);
  for (std::size_t i = 0; i < 20; ++i) lose_gpu(half[i]);
  EXPECT_THAT(vote(half, "auto", "auto").refusal, HasSubstr("n7 and 12 more"));
}

TEST(DeviceVote, NamesTheHostWhoseRanksShareGpusWhenTheOthersDoNot) {
  auto ranks = cluster(3, 8);
  ranks[15].bus = ranks[8].bus;  // seven GPUs are left there
  const auto got = vote(ranks, "auto", "auto");
  EXPECT_EQ(got.code, ExitCode::PeerLost);
  EXPECT_THAT(got.refusal, AllOf(HasSubstr("8 ranks on 7 GPU(s) of host n1"), Not(HasSubstr("n2"))));
  EXPECT_EQ(vote(ranks, "auto", "mpi").refusal, "") << "asked for";
}

TEST(DeviceVote, RefusesAMixtureUnlessAskedForIt) {
  auto models = cluster(4, 2), drivers = models, kinds = models;
  models[5].name = "A100";
  drivers[6].driver = drivers[7].driver = "CUDA 12.4";
  lose_gpu(kinds[0]);
  for (const auto& [ranks, difference] :
       {std::pair(models, "A100 (CUDA 13.0) on n2; H100 (CUDA 13.0) on n0, n1"),
        std::pair(drivers, "H100 (CUDA 12.4) on n3;")}) {
    const auto got = vote(ranks, "auto", "auto");
    EXPECT_EQ(got.code, ExitCode::BadConfiguration);
    EXPECT_THAT(got.refusal, HasSubstr(difference));
    const auto mixed = vote(ranks, "mixed", "auto");
    EXPECT_THAT(mixed.refusal, IsEmpty());
    EXPECT_EQ(mixed.backend, "nccl");
    EXPECT_THAT(mixed.warning, HasSubstr(difference));
  }
  const auto mixed = vote(kinds, "mixed", "auto");
  EXPECT_THAT(mixed.refusal, IsEmpty());
  EXPECT_EQ(mixed.backend, "mpi");
  EXPECT_FALSE(mixed.bfloat16) << "one precision for all ranks";
  EXPECT_THAT(mixed.warning, AllOf(HasSubstr("the CPU on n0"), HasSubstr("through host copies")));
  models[5].bfloat16 = false;
  EXPECT_FALSE(vote(models, "mixed", "auto").bfloat16);
}

TEST(DeviceVote, AGpuThatWasDemandedNeverBecomesHostCopiesWithoutAWord) {
  auto shared = cluster(2, 4);
  for (auto& rank : shared) rank.bus = "0000:00:00.0";  // four ranks on one GPU, on every host
  const auto demanded = vote(shared, "cuda", "auto");
  EXPECT_EQ(demanded.code, ExitCode::BadConfiguration);
  EXPECT_THAT(demanded.refusal,
              AllOf(HasSubstr("4 ranks on 1 GPU(s) of host n0"), HasSubstr("--backend mpi")));
  EXPECT_EQ(vote(shared, "auto", "nccl").code, ExitCode::BadConfiguration);
  const auto by_itself = vote(shared, "auto", "auto");
  EXPECT_EQ(by_itself.backend, "mpi");
  EXPECT_THAT(by_itself.warning, HasSubstr("slow"));
  const auto asked = vote(shared, "cuda", "mpi");
  EXPECT_EQ(asked.backend, "mpi");
  EXPECT_THAT(asked.refusal + asked.warning, IsEmpty());

  auto unbuilt = cluster(2, 4);  // then the addresses are not known either
  for (auto& rank : unbuilt) rank.back_ends = {"mpi"}, rank.bus = "";
  EXPECT_EQ(vote(unbuilt, "cuda", "auto").backend, "mpi");
  EXPECT_EQ(vote(unbuilt, "cuda", "nccl").code, ExitCode::BadConfiguration);
}

TEST(DeviceVote, TakesTheFirstOfTheTableThatCan) {
  std::vector<Carrier> carriers = {
      {.name = "fast", .title = "Fast", .obstacle = [](const auto&) { return "no link"; }},
      {.name = "good", .title = "Good", .obstacle = [](const auto&) { return ""; }},
      {.name = "slow", .title = "Slow", .obstacle = [](const auto&) { return ""; }}};
  const auto backend_of = [&](const std::string& asked) {
    return vote_on_devices(processors(2), "auto", asked, carriers);
  };
  EXPECT_EQ(backend_of("auto").backend, "good");
  EXPECT_EQ(backend_of("slow").backend, "slow");
  EXPECT_EQ(backend_of("fast").code, ExitCode::BadConfiguration);
  EXPECT_THAT(backend_of("fast").refusal,
              AllOf(HasSubstr("--backend fast: no link. "), HasSubstr("--backend slow")));
  EXPECT_EQ(backend_of("nccl").code, ExitCode::BadConfiguration);
  EXPECT_THAT(backend_of("nccl").refusal, HasSubstr("no such back end"));
  carriers.erase(carriers.begin() + 1);
  EXPECT_EQ(backend_of("auto").backend, "slow");
  EXPECT_THAT(vote_on_devices(cluster(2, 2), "auto", "auto", carriers).warning,
              HasSubstr("CUDA tensors go over Slow through host copies, which is slow: no link"));
}

TEST(DeviceVote, AGpuThatNobodyHasIsAMistakeOfTheCommandLine) {
  const auto got = vote(processors(2), "cuda", "auto");
  EXPECT_EQ(got.code, ExitCode::BadConfiguration);
  EXPECT_THAT(got.refusal, AllOf(HasSubstr("--device cuda"), HasSubstr("no NVIDIA driver")));
  EXPECT_EQ(vote(processors(1), "auto", "nccl").code, ExitCode::BadConfiguration);
}

TEST(DeviceVote, OfOneProcessIsItsOwn) {
  AloneControl alone;
  EXPECT_TRUE(agree_on_devices(alone, cluster(1, 1)[0], "auto", "auto", kCarriers).bfloat16);
  EXPECT_THROW(agree_on_devices(alone, processors(1)[0], "cuda", "auto", kCarriers), ConfigError);
}

TEST(WhyNoGpu, SaysThatTheDriverIsTooOld) {
  EXPECT_THAT(why_no_gpu(12040, 13000, ""), AllOf(HasSubstr("CUDA 12.4"), HasSubstr("needs CUDA 13.0")));
  EXPECT_THAT(why_no_gpu(13000, 13000, ""), Not(HasSubstr("old")));
  EXPECT_THAT(why_no_gpu(13020, 13000, ""), Not(HasSubstr("old")));
  EXPECT_THAT(why_no_gpu(0, 0, ""), HasSubstr("nvidia-smi"));
  EXPECT_THAT(why_no_gpu(0, 13000, "undefined symbol: ncclMemAlloc"), HasSubstr("undefined symbol"));
}

}  // namespace
}  // namespace facemae
