#include "trainer/apply/models.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"

namespace facemae {
namespace {

using testing::HasSubstr;

/// Weights as a run's configuration describes them, and as the metadata of an exported file do.
std::vector<Weights> told_by_both(const std::string& key, const std::string& value) {
  Weights run, file;
  run.config = "model = tiny\n" + key + " = " + value + "\n";
  file.metadata[key] = value;
  return {run, file};
}

TEST(UnfitForRelease, IsAModelWhoseOutputIsNoPicture) {
  for (const auto& weights : told_by_both("reconstruction", "hidden"))
    EXPECT_THAT(unfit_for_release(weights), HasSubstr("--reconstruction hidden"));
  for (const auto& weights : told_by_both("reconstruction", "none"))
    EXPECT_THAT(unfit_for_release(weights), HasSubstr("--reconstruction none"));
  for (const auto& weights : told_by_both("normalise-patches", "yes"))
    EXPECT_THAT(unfit_for_release(weights), HasSubstr("--normalise-patches"));
}

TEST(UnfitForRelease, IsNoModelTrainedOnAllPatchesNorOneOfWhichNothingIsKnown) {
  for (const auto& weights : told_by_both("reconstruction", "all")) EXPECT_EQ(unfit_for_release(weights), "");
  EXPECT_EQ(unfit_for_release({}), "");
}

TEST(UnfitForRelease, IsNoModelOfBlendsThatLearnedFromRelationsAlone) {
  for (auto weights : told_by_both("reconstruction", "none")) {
    weights.config += weights.config.empty() ? "" : "blend = people:4\n";
    weights.metadata["blend"] = "people:4";
    EXPECT_EQ(unfit_for_release(weights), "");
    EXPECT_EQ(blend_of(weights), "people:4");
  }
}

TEST(MaskRatio, IsThatOfTheTrainingUnlessAnotherIsAskedFor) {
  for (const auto& weights : told_by_both("mask-ratio", "0.5")) {
    EXPECT_EQ(mask_ratio_of(weights), 0.5);
    EXPECT_EQ(mask_ratio_for(weights, {}), 0.5);
    EXPECT_EQ(mask_ratio_for(weights, 0.9), 0.9);
  }
  EXPECT_EQ(mask_ratio_of({}), std::nullopt);
  EXPECT_EQ(mask_ratio_for({}, 0.9), 0.9);
  EXPECT_THROW(mask_ratio_for({}, {}), ConfigError) << "nothing is guessed";
  for (const char* bad : {"1", "0", "-1", "half", "0.5x", "nan"})
    for (const auto& weights : told_by_both("mask-ratio", bad))
      EXPECT_THROW(mask_ratio_of(weights), ConfigError) << bad;
}

TEST(NetworkFrom, TakesTheWidthOfEmbeddingsFromShapes) {
  Weights weights;
  weights.origin = "w.safetensors";
  weights.metadata["network"] = "iresnet-tiny";
  for (const std::int64_t values : {128, 512}) {
    weights.tensors = state_of(*make_network("iresnet-tiny", {.embedding = values}));
    EXPECT_EQ(network_from(weights)->width(), values);
  }
}

TEST(NetworkFrom, TakesRgbOfWeightsThatSayBgr) {
  auto made = make_network("iresnet-tiny");
  made->initialise(3);
  Weights weights;
  weights.origin = "w.safetensors";
  weights.tensors = state_of(*made);
  const auto as_it_is = network_from(weights, "iresnet-tiny");
  weights.metadata[kChannelOrder] = "bgr";
  const auto turned = network_from(weights, "iresnet-tiny");
  const torch::NoGradGuard no_grad;
  const auto rgb = torch::rand({2, 3, 112, 112});
  EXPECT_TRUE(torch::allclose(turned->forward(rgb), as_it_is->forward(rgb.flip({1})), 1e-4, 1e-5));
  EXPECT_FALSE(torch::allclose(turned->forward(rgb), as_it_is->forward(rgb), 1e-4, 1e-5));
}

}  // namespace
}  // namespace facemae
