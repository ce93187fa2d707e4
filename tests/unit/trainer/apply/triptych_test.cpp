#include "trainer/apply/triptych.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace facemae {
namespace {

TEST(PictureGrid, PutsColumnsSideBySideWithGaps) {
  const auto black = torch::full({2, 3, 4, 5}, -1.0), white = torch::full({2, 3, 4, 5}, 1.0);
  const Image grid = picture_grid({black, white});
  EXPECT_EQ(grid.width, 2 * (5 + 4) + 4);
  EXPECT_EQ(grid.height, 2 * (4 + 4) + 4);
  const auto pixel = [&](int x, int y) {
    return grid.pixels[static_cast<std::size_t>(y * grid.width + x) * 3];
  };
  EXPECT_EQ(pixel(0, 0), 255);            // gap
  EXPECT_EQ(pixel(4, 4), 0);              // first column, first row
  EXPECT_EQ(pixel(4 + 9, 4 + 8), 255);    // second column, second row
  EXPECT_EQ(pixel(4 + 4, 4 + 8 + 3), 0);  // last pixel of the first column
}

TEST(Triptych, ShowsHiddenPatchesGreyAndVisibleOnesAsTheyAre) {
  FaceMae model(FaceMaeConfig{.image = 8,
                              .patch = 4,
                              .width = 8,
                              .depth = 1,
                              .heads = 2,
                              .decoder_width = 8,
                              .decoder_depth = 1,
                              .decoder_heads = 2});
  model->initialise(1);
  const auto images = torch::full({1, 3, 8, 8}, 1.0);
  const auto mask =
      mask_from_noise(torch::tensor({{0.1, 0.9, 0.8, 0.7}}), 0.75);  // only the first patch is kept
  const Image picture = triptych(model, images, mask);
  const auto pixel = [&](int x, int y) {
    return static_cast<int>(picture.pixels[static_cast<std::size_t>(y * picture.width + x) * 3]);
  };
  const int masked_left = 4 + 8 + 4;
  EXPECT_EQ(pixel(masked_left, 4), 255);
  EXPECT_NEAR(pixel(masked_left + 5, 4), 128, 1);
}

}  // namespace
}  // namespace facemae
