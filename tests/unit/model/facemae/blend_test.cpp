#include "model/facemae/blend.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/facemae/face_mae.h"

namespace facemae {
namespace {

using torch::tensor;

TEST(Blend, IsTheMeanOverPeopleOfMeansOverTheirPhotos) {
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

TEST(Blend, OfOnePhotoDecodesToTheBitsOfThePlainFace) {
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

TEST(Blend, PassesGradientsToWhatIsSeen) {
  const auto tokens = torch::ones({2, 3, 1}).requires_grad_();
  const auto hidden = tensor({{0.0, 1.0}, {0.0, 0.0}}).to(torch::kFloat32);
  blend_people(tokens, hidden, tensor({0, 1}, torch::kInt64).view({1, 2, 1}), torch::zeros({1, 1, 1}), 1)
      .sum()
      .backward();
  EXPECT_TRUE(torch::equal(tokens.grad().flatten(), tensor({0.5F, 0.5F, 0.0F, 0.5F, 0.5F, 1.0F})));
}

TEST(Blend, DoesNotDependOnTheOrderOfPhotosAndPeople) {
  torch::manual_seed(2);
  const auto tokens = torch::rand({6, 5, 3}, torch::kFloat64),
             token = torch::rand({1, 1, 3}, torch::kFloat64);
  const auto hidden = torch::randint(0, 2, {6, 4}).to(torch::kFloat64);
  const auto one = tensor({0, 1, 2, 3, 4, 5, 1, 1}, torch::kInt64).view({2, 2, 2});
  const auto other = tensor({3, 2, 1, 0, 1, 1, 5, 4}, torch::kInt64).view({2, 2, 2});
  EXPECT_TRUE(torch::allclose(blend_people(tokens, hidden, one, token, 1),
                              blend_people(tokens, hidden, other, token, 1)));
}

TEST(Blend, HasTheGradientOfFiniteDifferences) {
  torch::manual_seed(3);
  const auto tokens = torch::rand({4, 4, 1}, torch::kFloat64),
             token = torch::rand({1, 1, 1}, torch::kFloat64);
  const auto hidden = tensor({0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1}, torch::kFloat64).view({4, 3});
  const auto which = tensor({0, 1, 2, 2}, torch::kInt64).view({1, 2, 2});
  const auto weight = torch::rand({1, 4, 1}, torch::kFloat64);
  const auto value = [&](const torch::Tensor& of, const torch::Tensor& mask) {
    return (blend_people(of, hidden, which, mask, 2) * weight).square().sum();
  };
  auto of = tokens.clone().requires_grad_(true), mask = token.clone().requires_grad_(true);
  const auto gradients = torch::autograd::grad({value(of, mask)}, {of, mask});
  EXPECT_GT(gradients[1].abs().sum().item<double>(), 0)
      << "one patch is of one person: the mask token stands there";
  constexpr double step = 1e-4;
  for (std::int64_t i = 0; i < tokens.numel() + 1; ++i) {
    const bool last = i == tokens.numel();
    const auto shifted = [&](double by) {
      auto some = tokens.clone(), masks = token.clone();
      (last ? masks.view(-1)[0] : some.view(-1)[i]) += by;
      return value(some, masks).item<double>();
    };
    const double slope = (shifted(step) - shifted(-step)) / (2 * step);
    const double found = (last ? gradients[1].view(-1)[0] : gradients[0].view(-1)[i]).item<double>();
    EXPECT_NEAR(found, slope, 1e-5 * (1 + std::abs(slope))) << i;
  }
}

}  // namespace
}  // namespace facemae
