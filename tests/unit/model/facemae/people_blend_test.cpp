#include "model/facemae/people_blend.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/facemae/face_mae.h"

namespace facemae {
namespace {

using torch::tensor;

TEST(PeopleBlend, IsTheMeanOverPeopleOfMeansOverTheirPhotos) {
  // Three photos of one person and one of another, two patches, width 1; hidden tokens are nonsense.
  const auto tokens = tensor({{10.0, 1.0, -99.0}, {20.0, 3.0, 7.0}, {30.0, -99.0, -99.0}, {40.0, 8.0, -99.0}})
                          .to(torch::kFloat32)
                          .unsqueeze(2);
  const auto hidden = tensor({{0.0, 1.0}, {0.0, 0.0}, {1.0, 1.0}, {0.0, 1.0}}).to(torch::kFloat32);
  const auto mask = torch::full({1, 1, 1}, 0.5F);
  const auto which = tensor({0, 1, 3, 3}, torch::kInt64).view({1, 2, 2});
  const auto one = blend_people(tokens, hidden, which, mask, 1).flatten();
  // cls: mean of (10 + 20) / 2 and 40; first patch: mean of 2 and 8; second: one person has it.
  EXPECT_TRUE(torch::equal(one, tensor({27.5F, 5.0F, 7.0F}))) << one;
  const auto two = blend_people(tokens, hidden, which, mask, 2).flatten();
  EXPECT_TRUE(torch::equal(two, tensor({27.5F, 5.0F, 0.5F}))) << two;
  const auto none =
      blend_people(tokens, hidden, tensor({2, 2, 2, 2}, torch::kInt64).view({1, 2, 2}), mask, 1);
  EXPECT_TRUE(torch::equal(none.flatten(), tensor({30.0F, 0.5F, 0.5F}))) << none;
}

TEST(PeopleBlend, OfOnePhotoDecodesToTheBitsOfThePlainFace) {
  FaceMae model(FaceMaeConfig{.image = 16,
                              .patch = 4,
                              .width = 16,
                              .depth = 1,
                              .heads = 2,
                              .decoder_width = 8,
                              .decoder_depth = 1,
                              .decoder_heads = 2});
  model->initialise(3);
  const torch::NoGradGuard no_grad;
  const auto images = torch::sin(torch::arange(5 * 3 * 16 * 16).view({5, 3, 16, 16}).to(torch::kFloat32));
  const std::vector<std::uint64_t> keys{1, 2, 3, 4, 5};
  const auto mask = random_masks(keys, 16, 0.75, torch::kCPU);
  const auto latent = model->encode(images, mask);
  const auto plain = model->decode(latent, mask);
  const auto tokens = model->decoder_tokens(latent, mask);
  const auto blended =
      blend_people(tokens, mask.hidden, torch::arange(5).view({5, 1, 1}), model->mask_token, 1);
  EXPECT_TRUE(torch::equal(blended, tokens));
  EXPECT_TRUE(torch::equal(model->decode_tokens(blended), plain));
}

TEST(PeopleBlend, PassesGradientsToWhatIsSeen) {
  const auto tokens = torch::ones({2, 3, 1}).requires_grad_();
  const auto hidden = tensor({{0.0, 1.0}, {0.0, 0.0}}).to(torch::kFloat32);
  blend_people(tokens, hidden, tensor({0, 1}, torch::kInt64).view({1, 2, 1}), torch::zeros({1, 1, 1}), 1)
      .sum()
      .backward();
  EXPECT_TRUE(torch::equal(tokens.grad().flatten(), tensor({0.5F, 0.5F, 0.0F, 0.5F, 0.5F, 1.0F})));
}

}  // namespace
}  // namespace facemae
