#include "trainer/input/machine.h"

#include <gmock/gmock.h>

#include "tests/unit/cluster/world/fake_back_end.h"

namespace facemae {
namespace {

using testing::HasSubstr;

TEST(Machine, PrecisionByItselfIsThatOfTheGpusAndFloat32OnCpus) {
  EXPECT_EQ(settled_precision("auto", true), "bfloat16");
  EXPECT_EQ(settled_precision("auto", false), "float32");
  for (const char* asked : {"float32", "tf32", "bfloat16"})
    for (const bool bfloat16 : {true, false}) EXPECT_EQ(settled_precision(asked, bfloat16), asked);
}

TEST(Machine, LoaderThreadsByThemselvesAreTheCoresBesideAGpuAndOneOnACpu) {
  EXPECT_EQ(settled_workers(0, true, 16), 14);
  EXPECT_EQ(settled_workers(0, true, 2), 1);
  EXPECT_EQ(settled_workers(0, true, 0), 1);
  EXPECT_EQ(settled_workers(0, false, 16), 1);
  EXPECT_EQ(settled_workers(3, true, 16), 3);
  EXPECT_EQ(settled_workers(3, false, 1), 3);
}

/// What a run wrote before there was a default of the devices' own is what it is now.
TEST(Machine, ARunOnCpusIsConfiguredAsEver) {
  PretrainConfig config;
  Options options("", "pretrain");
  declare(options, config);
  CommonOptions common;
  const std::vector<std::string> words = {"--store", "s", "--run", "r", "--batch", "48", "--steps", "7"};
  options.parse(words, common);
  validate(options, config);
  const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
  settle_precision(config.common, *world);
  EXPECT_THAT(options.text(), HasSubstr("precision = float32\n"));
  EXPECT_EQ(workers_of(config.common, *world), 1);
  std::string before = options.text();
  before.replace(before.find("workers = 0"), 11, "workers = 1");
  EXPECT_THAT(result_changes(before, options.text()), testing::IsEmpty());
}

}  // namespace
}  // namespace facemae
