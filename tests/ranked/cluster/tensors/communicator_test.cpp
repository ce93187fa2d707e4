#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/mpi/mpi_control.h"
#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "tests/ranked/cluster/tensors/conformance.h"

namespace facemae {
namespace {

TEST(MpiCommunicator, Conforms) {
  MpiCommunicator ranks("test", kLong);
  expect_conforming(ranks, torch::kCPU);
}

TEST(MpiCommunicator, ConformsWhenEveryCallIsCutIntoPieces) {
  MpiCommunicator ranks("test", kLong, /*largest_count=*/97);
  expect_conforming(ranks, torch::kCPU);
}

TEST(AloneCommunicator, Conforms) {
  AloneCommunicator alone;
  expect_conforming(alone, torch::kCPU);
  alone.abort();
  EXPECT_THROW((void)alone.all_reduce(torch::zeros({1}), Reduce::Sum), PeerLost);
}

TEST(MpiCommunicator, RefusesToReduceTypesThatMpiLacks) {
  MpiCommunicator ranks("test", kLong);
  EXPECT_THROW((void)ranks.all_reduce(torch::zeros({1}, torch::kBool), Reduce::Sum), Error);
}

TEST(MpiCommunicator, TwoOfThemDoNotMixTheirMessages) {
  MpiCommunicator one("one", kLong), two("two", kLong);
  auto a = torch::full({100000}, 1.0), b = torch::full({100000}, 2.0);
  // Each rank issues in another order across communicators; within each the order is the same.
  const bool swapped = one.rank() % 2 == 1;
  Work first = swapped ? two.all_reduce(b, Reduce::Sum) : one.all_reduce(a, Reduce::Sum);
  Work second = swapped ? one.all_reduce(a, Reduce::Sum) : two.all_reduce(b, Reduce::Sum);
  first.wait();
  second.wait();
  EXPECT_EQ(a.min().item<float>(), 1.0F * static_cast<float>(one.size()));
  EXPECT_EQ(b.max().item<float>(), 2.0F * static_cast<float>(one.size()));
}

TEST(MpiCommunicator, OfAPartSumsOverTheRanksThatGaveTheSameNumber) {
  MpiControl control(kLong);
  MpiCommunicator part("part", kLong, kMpiCount, torch::kCPU, control.rank() % 2);
  EXPECT_EQ(part.rank(), control.rank() / 2);
  EXPECT_EQ(part.size(), (control.size() + 1 - control.rank() % 2) / 2);
  auto sum = torch::full({1000}, control.rank()), wanted = torch::zeros({1000}, torch::kInt64);
  for (int rank = control.rank() % 2; rank < control.size(); rank += 2) wanted += rank;
  part.all_reduce(sum, Reduce::Sum).wait();
  EXPECT_TRUE(sum.equal(wanted)) << sum[0];
}

TEST(MpiCommunicator, FailsEverythingAfterAbort) {
  MpiCommunicator ranks("test", kLong);
  ranks.abort();
  ranks.abort();
  EXPECT_THROW((void)ranks.all_reduce(torch::zeros({1}), Reduce::Sum), PeerLost);
}

TEST(MpiCommunicator, ThrowsPeerLostWhenARankDoesNotEnterACollective) {
  MpiControl control(kLong);
  MpiCommunicator ranks("gradients", std::chrono::seconds(1));
  if (ranks.size() == 1) GTEST_SKIP() << "needs a second rank that stays away";
  const bool late = ranks.rank() == ranks.size() - 1;
  auto tensor = torch::ones({1000});
  if (!late) {
    const auto began = std::chrono::steady_clock::now();
    auto work = ranks.all_reduce(tensor, Reduce::Sum);
    try {
      work.wait();
      ADD_FAILURE() << "the collective ended without the last rank";
    } catch (const PeerLost& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("'gradients': collective #1 (all_reduce of Float [1000])"), std::string::npos)
          << message;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
    EXPECT_THROW((void)ranks.all_reduce(tensor, Reduce::Sum), PeerLost);
  }
  control.barrier(kLong);
  // The blocked calls of the others end when the late rank enters, so that this program can finalize MPI.
  if (late) {
    ranks.all_reduce(tensor, Reduce::Sum).wait();
  }
  control.barrier(kLong);
}

}  // namespace
}  // namespace facemae
