#include "trainer/models.h"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace facemae
