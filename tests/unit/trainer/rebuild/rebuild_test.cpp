#include "trainer/rebuild/rebuild.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>

#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"

namespace facemae {
namespace {

using testing_stores::make_store;
using testing_stores::tiny_picture;

class Rebuild : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    model_ = test::small_model();
  }
  std::vector<std::vector<std::byte>> rebuilt(const Store& store, const std::vector<std::uint64_t>& rows,
                                              std::size_t batch = 64) {
    return rebuild_rows(store, rows, model_, torch::kCPU,
                        {.mask_key = SecretKey{{3}}, .png = true, .batch = batch},
                        [&](std::size_t n) { told_ += n; });
  }
  test::TemporaryFolder folder_;
  FaceMae model_{nullptr};
  std::size_t told_ = 0;
};

TEST_F(Rebuild, ShowsNothingButDecoderOutputAtVisiblePatchesToo) {
  const auto store = make_store(folder_ / "s", {2, 2});  // pictures of noise
  {  // a decoder that says mid-grey whatever it is given: any other pixel would be one of the real face
    const torch::NoGradGuard no_grad;
    model_->decoder_pred->weight.zero_();
    model_->decoder_pred->bias.zero_();
  }
  for (const auto& encoded : rebuilt(*store, {0, 1, 2, 3})) {
    const Image image = Decoder().decode(encoded);
    ASSERT_EQ(image.width, 16);
    const auto [least, most] = std::minmax_element(image.pixels.begin(), image.pixels.end());
    EXPECT_GE(*least, 127);
    EXPECT_LE(*most, 128);
  }
  EXPECT_EQ(told_, 4U);
}

TEST_F(Rebuild, MasksByTheContentOfAnImageWhereverItIs) {
  // Rows 0 and 3 hold the same bytes, 1 and 2 others.
  const auto store = make_store(folder_ / "s", {2, 2}, 16,
                                [](std::uint64_t row) { return tiny_picture(row == 3 ? 0 : row); });
  const auto all = rebuilt(*store, {0, 1, 2, 3});
  EXPECT_EQ(all[0], all[3]) << "two masks of one face show more of it than one";
  EXPECT_NE(all[0], all[1]);
  const auto some = rebuilt(*store, {2, 3, 1}, 2);  // in another order and other batches
  EXPECT_EQ(some[0], all[2]);
  EXPECT_EQ(some[1], all[3]);
  EXPECT_EQ(some[2], all[1]);
}

TEST_F(Rebuild, AnotherSecretMasksOtherPatches) {
  const auto store = make_store(folder_ / "s", {2, 2});
  const auto first = rebuilt(*store, {0});
  const auto second = rebuild_rows(*store, {0}, model_, torch::kCPU,
                                   {.mask_key = SecretKey{{4}}, .png = true}, [](std::size_t) {});
  EXPECT_NE(first[0], second[0]);
}

}  // namespace
}  // namespace facemae
