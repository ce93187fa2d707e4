#include "trainer/insiders/white_box.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error.h"
#include "tests/unit/trainer/insiders/trained_model.h"
#include "trainer/insiders/kept_patches.h"

namespace facemae {
namespace {

constexpr double kHalfHidden = 0.5;
constexpr std::int64_t kReleasedPeople = 12, kPhotosEach = 4;

/// A release of people whom the model has not seen, made with masks that the test knows.
class WhiteBox : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    torch::set_num_threads(1);
    model_ = new FaceMae(test::trained_model(test::drawn_people(24, 2, 1), 150));
    people_ = new RealFaces(test::drawn_people(kReleasedPeople, kPhotosEach, 2));
  }
  static void TearDownTestSuite() {
    delete model_;
    delete people_;
  }
  void SetUp() override {
    masks_ = drawn_masks(*model_, kHalfHidden, 99, 0);
    released_ = {.pictures = rebuilt(*model_, people_->photos, masks_),
                 .classes = people_->people,
                 .class_count = kReleasedPeople};
    kept_ = 1 - masks_(0, kReleasedPeople * kPhotosEach).hidden;
  }
  static FaceMae* model_;
  static RealFaces* people_;
  MaskOf masks_;
  ReleasedFaces released_;
  torch::Tensor kept_;
};
FaceMae* WhiteBox::model_ = nullptr;
RealFaces* WhiteBox::people_ = nullptr;

TEST_F(WhiteBox, FindsTheKeptPatchesBetterThanChance) {
  // Learnt from other people under other masks.
  const RealFaces own = test::drawn_people(16, 2, 3);
  const auto own_masks = drawn_masks(*model_, kHalfHidden, 5, 0);
  const KeptSearch search{.mask_ratio = kHalfHidden, .seed = 1};
  std::size_t told = 0;
  const auto count = [&](std::size_t n) { told += n; };
  const auto model =
      KeptModel::fit(kept_clues(*model_, rebuilt(*model_, own.photos, own_masks), search, count),
                     1 - own_masks(0, 32).hidden);
  const auto probable = model.probabilities(kept_clues(*model_, released_.pictures, search, count));
  EXPECT_EQ(told, static_cast<std::size_t>(32 + kReleasedPeople * kPhotosEach));
  const auto right = ((probable > 0.5) == (kept_ > 0.5)).to(torch::kFloat32).mean().item<double>();
  EXPECT_GT(right, 0.6) << "half of the patches are kept: guessing is right for 0.5";
}

TEST_F(WhiteBox, FindsThePeopleOfPictures) {
  const auto attacker =
      white_box(*model_, {.mask_ratio = kHalfHidden, .probes = 16, .steps = 20, .show_progress = false});
  const Evidence evidence = attacker->look(released_, *people_);
  EXPECT_FALSE(evidence.released.defined());
  ASSERT_EQ(evidence.by_person.sizes(),
            (std::vector<std::int64_t>{kReleasedPeople * kPhotosEach, kReleasedPeople}));
  const auto person = torch::tensor(at::ArrayRef<std::int64_t>(people_->people));
  const double found = (evidence.by_person.argmax(1) == person).to(torch::kFloat32).mean().item<double>();
  EXPECT_GT(found, 0.5) << "chance is 0.08";
  // The same evidence against people who are not in the release tells nobody apart by being sure.
  auto strangers = released_;
  strangers.pictures = rebuilt(*model_, test::drawn_people(kReleasedPeople, kPhotosEach, 4).photos, masks_);
  const auto others = attacker->look(strangers, *people_).by_person;
  EXPECT_LT(std::get<0>(others.max(1)).mean().item<double>(),
            std::get<0>(evidence.by_person.max(1)).mean().item<double>());
}

TEST_F(WhiteBox, OptimisedPatchesAreDecodedToThePicture) {
  const auto pictures = released_.pictures.narrow(0, 0, 8);
  const Masked mask = masks_(0, 8);
  const auto error = [&](const torch::Tensor& photos) {
    const torch::NoGradGuard no_gradients;
    return ((*model_)->unpatchify((*model_)->decode((*model_)->encode(photos, mask), mask)) -
            as_floats(pictures))
        .square()
        .mean()
        .item<double>();
  };
  const auto start = as_floats(pictures);
  const torch::NoGradGuard as_in_an_audit;
  const auto found = optimised_patches(*model_, start, mask, 60, 0.02);
  EXPECT_LT(error(found), 0.5 * error(start));
  const auto hidden = (*model_)->patchify(found - start).masked_select(mask.hidden.unsqueeze(2) > 0.5);
  EXPECT_EQ(hidden.abs().max().item<double>(), 0) << "only what was kept is looked for";
}

TEST_F(WhiteBox, RefusesPicturesOfAnotherSize) {
  ReleasedFaces other = released_;
  other.pictures = torch::zeros({2, 3, 8, 8}, torch::kUInt8);
  EXPECT_THROW(white_box(*model_, {})->look(other, *people_), ConfigError);
}

}  // namespace
}  // namespace facemae
