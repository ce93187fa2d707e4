// --dry-run foresees the memory of a run.
#include "trainer/step/memory_need.h"

#include "tests/ranked/trainer/step/memory_need_fixture.h"

namespace facemae::trials {
namespace {

TEST_P(Memory, IsForeseen) { expect_foreseen(); }
INSTANTIATE_TEST_SUITE_P(
    , Memory,
    testing::Values(MemoryTrial{.name = "Plain", .model = "tiny"},
                    MemoryTrial{.name = "Accumulated", .model = "tiny", .accumulate = 2},
                    MemoryTrial{.name = "Recomputed", .model = "tiny", .activation_checkpointing = true},
                    MemoryTrial{.name = "Sharded", .model = "tiny", .shard = true},
                    MemoryTrial{.name = "Recognition", .model = "iresnet-tiny", .batch = 24},
                    MemoryTrial{.name = "RecognitionRecomputed",
                                .model = "iresnet-tiny",
                                .batch = 24,
                                .activation_checkpointing = true}),
    [](const auto& trial) { return trial.param.name; });

}  // namespace
}  // namespace facemae::trials
