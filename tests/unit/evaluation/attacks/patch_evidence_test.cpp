#include "evaluation/attacks/patch_evidence.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(PatchFeatures, AreColourMeansInTheOrderOfFaceMae) {
  auto picture = torch::zeros({1, 3, 8, 8});
  picture.narrow(2, 0, 4).narrow(3, 4, 4).fill_(1);  // the second patch of the first row
  const auto features = patch_features(picture, 4, 2);
  ASSERT_EQ(features.sizes(), (std::vector<std::int64_t>{1, 4, 12}));
  EXPECT_TRUE(features[0][1].equal(torch::ones({12})));
  EXPECT_EQ(features[0].sum().item<double>(), 12);
}

class PatchEvidence : public testing::Test {
 protected:
  static constexpr std::int64_t kPeople = 10, kPhotos = 4, kPatches = 6, kWidth = 5;
  void SetUp() override {
    torch::set_num_threads(1);
    torch::manual_seed(1);
    photos_ = torch::randn({kPeople * kPhotos, kPatches, kWidth});
    for (std::int64_t i = 0; i < kPeople * kPhotos; ++i) people_.push_back(i / kPhotos);
  }
  torch::Tensor evidence(const torch::Tensor& pictures, const torch::Tensor& kept,
                         std::int64_t bytes = 1 << 20) const {
    return patch_evidence(pictures, kept, photos_, people_, kPeople, torch::full({kPatches}, 0.05), bytes);
  }
  torch::Tensor photos_;
  std::vector<std::int64_t> people_;
};

TEST_F(PatchEvidence, FindsThePersonOfPatchesThatWereMixedFromTheirPhotos) {
  // Picture i: patch n of photo n % kPhotos of person i; half of the patches are somebody else's.
  auto pictures = torch::randn({kPeople, kPatches, kWidth}), kept = torch::full({kPeople, kPatches}, 0.02);
  for (std::int64_t person = 0; person < kPeople; ++person)
    for (std::int64_t n = person % 2; n < kPatches; n += 2) {
      pictures[person][n] = photos_[person * kPhotos + n % kPhotos][n] + 0.05 * torch::randn({kWidth});
      kept[person][n] = 0.95;
    }
  EXPECT_TRUE(evidence(pictures, kept).argmax(1).equal(torch::arange(kPeople)));
}

TEST_F(PatchEvidence, SaysNothingOfPatchesThatWereNotKeptAndNeverDependsOnBlocks) {
  const auto pictures = photos_.narrow(0, 0, 8);
  EXPECT_TRUE(evidence(pictures, torch::zeros({8, kPatches})).equal(torch::zeros({8, kPeople})));
  const auto kept = torch::full({8, kPatches}, 0.5);
  EXPECT_TRUE(evidence(pictures, kept).allclose(evidence(pictures, kept, 1), 1e-6, 1e-6));
}

TEST_F(PatchEvidence, RefusesSizesThatDisagree) {
  EXPECT_THROW(evidence(photos_, torch::zeros({8, kPatches})), ConfigError);
}

}  // namespace
}  // namespace facemae
