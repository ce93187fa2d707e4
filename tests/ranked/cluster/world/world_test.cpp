#include "cluster/world/world.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/nccl/nccl_back_end.h"
#include "core/error.h"
#include "tests/ranked/cluster/tensors/conformance.h"
#include "tests/unit/cluster/world/fake_back_end.h"

namespace facemae {
namespace {

std::unique_ptr<World> open_ranked(const BackEnds& back_ends, const std::string& backend = "auto") {
  return World::open(back_ends, {.backend = backend, .device = "cpu", .deadline = kLong});
}

constexpr const char* kAlone = "mpiexec of MPICH and its kin started one process, which is alone";

TEST(World, OpensOverMpiWithTwoSeparateCommunicators) {
  if (launched_alone()) GTEST_SKIP() << kAlone;
  auto world = open_ranked({nccl_back_end(), mpi_back_end()});
  const auto& topology = world->topology();
  EXPECT_EQ(topology.rank, world->control().rank());
  EXPECT_EQ(topology.size, world->control().size());
  EXPECT_EQ(topology.nodes, 1);
  EXPECT_EQ(topology.local_rank, topology.rank);
  EXPECT_EQ(topology.local_size, topology.size);
  EXPECT_NE(&world->gradients(), &world->batch());
  EXPECT_EQ(world->operations().size(), 3U);
  auto tensor = torch::ones({3});
  world->gradients().all_reduce(tensor, Reduce::Sum).wait();
  EXPECT_EQ(tensor[2].item<float>(), static_cast<float>(topology.size));
  world->close();
}

TEST(World, OpensTheFirstBackEndThatIsPossibleAndClosesIt) {
  if (launched_alone()) GTEST_SKIP() << kAlone;
  test::FakeBackEnd fake;
  auto world = open_ranked({fake.row(), mpi_back_end()});
  EXPECT_EQ(fake.opened, 1);
  EXPECT_EQ(fake.deadline, kLong);
  EXPECT_EQ(&world->gradients(), fake.communicator);
  EXPECT_EQ(&world->batch(), fake.communicator);
  EXPECT_EQ(world->operations().size(), 2U);
  world->close();
  EXPECT_EQ(fake.closed, 1);

  open_ranked({fake.row(), mpi_back_end()}, "mpi")->close();
  fake.obstacle = "not here";
  open_ranked({fake.row(), mpi_back_end()})->close();
  EXPECT_EQ(fake.opened, 1);
}

TEST(World, RefusesNcclOnTheCpuOnAllRanks) {
  test::FakeBackEnd fake{.obstacle = "not here"};
  EXPECT_THROW(open_ranked({fake.row(), mpi_back_end()}, "fake"), ConfigError);
  EXPECT_THROW(open_ranked({nccl_back_end(), mpi_back_end()}, "nccl"), ConfigError);
}

}  // namespace
}  // namespace facemae
