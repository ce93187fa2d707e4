// What activation checkpointing saves, by the class of small networks.
#include "tests/unit/trainer/tasks/recomputed_networks.h"

namespace facemae {
namespace {

TEST(RecomputedNetworks, TakeLessMemory) {
  const auto vit = [](bool recomputes) {
    return std::make_shared<FaceVit>(FaceVitConfig{.width = 64, .depth = 12},
                                     NetworkOptions{.activation_checkpointing = recomputes});
  };
  EXPECT_LT(test::peak_of_a_step(*vit(true), 4), 0.6 * test::peak_of_a_step(*vit(false), 4));
}

}  // namespace
}  // namespace facemae
