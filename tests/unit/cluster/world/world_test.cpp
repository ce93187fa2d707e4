#include "cluster/world/world.h"

#include <gmock/gmock.h>

#include "cluster/nccl/nccl_back_end.h"
#include "core/error.h"
#include "tests/unit/cluster/world/fake_back_end.h"

namespace facemae {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::unique_ptr<World> open_on_cpu(const BackEnds& back_ends, const std::string& backend = "auto") {
  return World::open(back_ends, {.backend = backend, .device = "cpu"});
}

TEST(World, OfOneProcessDiesWithTheCodeItIsGiven) {
  EXPECT_EXIT(open_on_cpu(test::mpi_alone())->die(75), testing::ExitedWithCode(75), "");
}

TEST(World, OfOneProcessIsRankZeroOfOneWithoutMpi) {
  test::FakeBackEnd fake;
  auto world = open_on_cpu({fake.row(), mpi_back_end()});
  EXPECT_EQ(world->topology().size, 1);
  EXPECT_TRUE(world->device().is_cpu());
  EXPECT_EQ(world->gradients().size(), 1);
  EXPECT_FALSE(world->bfloat16());
  EXPECT_EQ(world->batch().device(), world->device());
  world->close();
  EXPECT_EQ(fake.opened, 0);
}

TEST(World, RefusesABackEndThatIsNotPossible) {
  const auto refuses = [](const BackEnds& back_ends, const std::string& backend, const auto& message) {
    EXPECT_THAT([&] { open_on_cpu(back_ends, backend); }, testing::ThrowsMessage<ConfigError>(message));
  };
  test::FakeBackEnd fake{.obstacle = "it has no link on n1"};
  const BackEnds table = {fake.row(), mpi_back_end()};
  open_on_cpu(table)->close();
  refuses(table, "fake",
          AllOf(StartsWith("--backend fake: it has no link on n1. "), HasSubstr("or pass --backend mpi")));
  refuses(
      {nccl_back_end(), mpi_back_end()}, "nccl",
      AllOf(StartsWith("--backend nccl: ranks on "), HasSubstr(" compute on the CPU. Start as many ranks")));
  refuses(test::mpi_alone(), "nccl", HasSubstr("no such back end"));
}

TEST(Versions, NameTheLibraries) {
  EXPECT_THAT(mpi_back_end().version(), HasSubstr("."));
  EXPECT_THAT(nccl_back_end().version(),
              StartsWith(nccl_back_end().built ? std::string("NCCL ") : std::string("NCCL: not built")));
}

}  // namespace
}  // namespace facemae
