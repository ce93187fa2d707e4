// Networks of their real sizes: a step with activation checkpointing is that without, in less memory.
#include "tests/unit/trainer/tasks/recomputed_networks.h"

namespace facemae {
namespace {

class RecomputedNetwork : public testing::TestWithParam<const char*> {};

TEST_P(RecomputedNetwork, LeavesTheGradientsAndStatisticsOfThePlainOne) {
  std::vector<std::shared_ptr<RecognitionNetwork>> networks;
  for (const bool recomputes : {false, true}) {
    networks.push_back(make_network(GetParam(), {.activation_checkpointing = recomputes}));
    networks.back()->initialise(3);
    networks.back()->train();
    test::one_step(*networks.back(), 4);
  }
  const auto plain = state_of(*networks[0]), again = state_of(*networks[1]);
  double furthest = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_THAT(again[i].second, test::IsWithin(1e-6, plain[i].second)) << plain[i].first;
    if (!plain[i].second.requires_grad()) continue;
    const double apart = test::relative_distance(again[i].second.grad(), plain[i].second.grad());
    EXPECT_LT(apart, 1e-6) << plain[i].first;
    furthest = std::max(furthest, apart);
  }
  std::printf("%s: gradients at most %.1e apart\n", GetParam(), furthest);
}
INSTANTIATE_TEST_SUITE_P(Large, RecomputedNetwork, testing::Values("vit-s", "iresnet50"),
                         [](const auto& tested) { return std::string(tested.param).substr(0, 3); });

TEST(RecomputedVit, TakesTwoFifthsLessMemoryAtABatchOf32) {
  const auto peak = [](bool recomputes) {
    return test::peak_of_a_step(*make_network("vit-s", {.activation_checkpointing = recomputes}), 32);
  };
  const double plain = peak(false), again = peak(true);
  std::printf("vit-s, 32 faces: %.0f MB, recomputed %.0f MB: %.0f %% less\n", plain / 1e6, again / 1e6,
              100 * (1 - again / plain));
  EXPECT_LT(again, 0.6 * plain);
}

}  // namespace
}  // namespace facemae
