#include "trainer/input/machine.h"

#include <gmock/gmock.h>

#include "cluster/host/control.h"
#include "tests/unit/checkpoint/tensors/fixture.h"
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

/// What the options of a recognition run say once its memory format is settled.
struct SettledRun {
  explicit SettledRun(std::vector<std::string> words) {
    declare(options, config);
    CommonOptions common;
    words.insert(words.begin(), {"--store", "s", "--batch", "48", "--steps", "7", "--precision", "float32"});
    options.parse(words, common);
    settle_memory_format(config, *World::open(test::mpi_alone(), {.device = "cpu"}));
  }
  RecognizeConfig config;
  Options options{"", "recognize"};
};

TEST(Machine, ANewRunHasTheMemoryFormatThatIsFasterUnlessOneIsGiven) {
  const auto settled = [](std::vector<std::string> more) {
    more.insert(more.end(), {"--run", "no-such-run"});
    return SettledRun(more).config.memory_format;
  };
  EXPECT_EQ(settled({}), "channels-last");
  EXPECT_EQ(settled({"--memory-format", "contiguous"}), "");
  EXPECT_EQ(settled({"--exact"}), "");
  EXPECT_EQ(settled({"--exact", "--memory-format", "channels-last"}), "channels-last");
}

TEST(Machine, ARunThatHasBegunGoesOnInItsMemoryFormat) {
  const test::TemporaryFolder folder;
  const test::Quiet quiet;
  AloneControl control;
  test::QuickFiles files;
  const auto begun = [&](const std::string& name, const std::string& text) {
    Snapshot state = test::small_state(10);
    state.config = text;
    EXPECT_TRUE(CheckpointStore(folder / name, control, files).save(state, 1));
    return (folder / name).string();
  };
  const std::string before = "store = s\nbatch = 48\n";  // as versions wrote it that had no choice
  const std::string old_run = begun("old", before),
                    new_run = begun("new", before + "memory-format = channels-last\n");
  SettledRun gone_on({"--run", old_run});
  EXPECT_THAT(gone_on.options.text(), testing::Not(HasSubstr("memory-format")));
  EXPECT_EQ(SettledRun({"--run", new_run}).config.memory_format, "channels-last");
  EXPECT_EQ(SettledRun({"--run", old_run, "--fresh"}).config.memory_format, "channels-last");
  const SettledRun other({"--run", old_run, "--memory-format", "channels-last"});
  EXPECT_THAT(result_changes(gone_on.options.text(), other.options.text()),
              testing::ElementsAre("memory-format: was unset, is channels-last"));
}

}  // namespace
}  // namespace facemae
