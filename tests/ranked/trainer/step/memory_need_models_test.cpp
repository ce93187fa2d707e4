// --dry-run foresees the memory of larger models, too.
#include "tests/ranked/trainer/step/memory_need_fixture.h"

namespace facemae::trials {
namespace {

TEST_P(Memory, OfLargerModelsIsForeseen) { expect_foreseen(); }
INSTANTIATE_TEST_SUITE_P(
    , Memory,
    testing::Values(MemoryTrial{.name = "Small", .model = "small", .batch = 24, .patch = 8},
                    MemoryTrial{.name = "SmallAccumulated",
                                .model = "small",
                                .batch = 32,
                                .accumulate = 2,
                                .activation_checkpointing = true},
                    MemoryTrial{.name = "Iresnet18", .model = "iresnet18", .batch = 20},
                    MemoryTrial{
                        .name = "Iresnet18Accumulated", .model = "iresnet18", .batch = 24, .accumulate = 2}),
    [](const auto& trial) { return trial.param.name; });

}  // namespace
}  // namespace facemae::trials
