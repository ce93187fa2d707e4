#include "model/facemae/blend.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"
#include "model/facemae/face_mae.h"

namespace facemae {
namespace {

using Numbers = std::vector<std::int64_t>;
using testing::HasSubstr;

const auto kDouble = torch::TensorOptions().dtype(torch::kFloat64);

/// Four photos of three patches, two of which each keeps; width 1. Photos 0 and 1 are Ann's, 2 is Bob's; 3 is alone.
struct Sample {
  torch::Tensor tokens =
      torch::tensor({{1., 10., 20.}, {3., 30., 40.}, {5., 50., 60.}, {7., 70., 80.}}, kDouble)
          .unsqueeze(2);  // cls, then the kept patches
  torch::Tensor kept = torch::tensor({{0, 1}, {1, 0}, {1, 2}, {2, 0}}, torch::kInt64);
  Numbers sets = {0, 0, 0, 1}, people = {4, 4, 9, 4};
  torch::Tensor mask_token = torch::full({1, 1, 1}, -1., kDouble);

  torch::Tensor blended(std::int64_t min_people) const {
    return blend_tokens(tokens, kept, sets, people, 3, min_people, mask_token).squeeze(2);
  }
};

TEST(Blend, AveragesPhotosWithinAPersonAndThenPeople) {
  const Sample sample;
  // Set 0: cls ((1 + 3) / 2 + 5) / 2; patch 0 is Ann's alone (10 and 40), 1 is Ann's (20, 30) and Bob's (50), 2 Bob's.
  EXPECT_TRUE(torch::allclose(sample.blended(1),
                              torch::tensor({{3.5, 25., 37.5, 60.}, {7., 80., -1., 70.}}, kDouble)));
}

TEST(Blend, ShowsNoPatchThatTooFewPeopleShow) {
  const Sample sample;
  EXPECT_TRUE(torch::allclose(sample.blended(2),
                              torch::tensor({{3.5, -1., 37.5, -1.}, {7., -1., -1., -1.}}, kDouble)));
}

TEST(Blend, OfOnePhotoIsWhatTheDecoderGetsOfIt) {
  torch::set_num_threads(1);
  FaceMae model(FaceMaeConfig{.image = 16,
                              .patch = 4,
                              .width = 24,
                              .depth = 1,
                              .heads = 3,
                              .decoder_width = 12,
                              .decoder_depth = 1,
                              .decoder_heads = 3});
  model->initialise(3);
  torch::manual_seed(1);
  const auto images = torch::rand({3, 3, 16, 16}) * 2 - 1;
  const std::vector<std::uint64_t> keys = {5, 6, 7};
  const Masked mask = random_masks(keys, 16, 0.75, torch::kCPU);
  const auto latent = model->encode(images, mask);
  const auto tokens = blend_tokens(model->embed_for_decoder(latent), mask.kept, Numbers{0, 1, 2},
                                   Numbers{8, 8, 8}, 16, 1, model->mask_token);
  EXPECT_TRUE(torch::equal(model->decode_tokens(tokens), model->decode(latent, mask)));
}

TEST(Blend, DoesNotDependOnTheOrderOfPhotosAndPeople) {
  torch::manual_seed(2);
  const auto tokens = torch::rand({6, 3, 5}, kDouble), token = torch::rand({1, 1, 5}, kDouble);
  const auto kept = torch::stack({torch::randperm(4), torch::randperm(4), torch::randperm(4),
                                  torch::randperm(4), torch::randperm(4), torch::randperm(4)})
                        .narrow(1, 0, 2);
  const Numbers sets = {0, 0, 0, 1, 1, 1}, people = {0, 1, 0, 2, 2, 2};
  const auto one = blend_tokens(tokens, kept, sets, people, 4, 1, token);
  const auto turned = torch::tensor({2, 5, 1, 4, 0, 3}, torch::kInt64);
  const auto other = blend_tokens(tokens.index_select(0, turned), kept.index_select(0, turned),
                                  Numbers{0, 1, 0, 1, 0, 1}, Numbers{7, 3, 6, 3, 7, 3}, 4, 1, token);
  EXPECT_TRUE(torch::allclose(one, other));
}

TEST(Blend, HasTheGradientOfFiniteDifferences) {
  Sample sample;
  torch::manual_seed(3);
  const auto weight = torch::rand({2, 4, 1}, kDouble);
  const auto value = [&](const torch::Tensor& tokens, const torch::Tensor& token) {
    return (blend_tokens(tokens, sample.kept, sample.sets, sample.people, 3, 1, token) * weight)
        .square()
        .sum();
  };
  auto tokens = sample.tokens.clone().requires_grad_(true),
       token = sample.mask_token.clone().requires_grad_(true);
  const auto gradients = torch::autograd::grad({value(tokens, token)}, {tokens, token});
  constexpr double step = 1e-4;
  for (std::int64_t i = 0; i < 13; ++i) {
    auto up = sample.tokens.clone(), down = up.clone(), token_up = sample.mask_token.clone(),
         token_down = token_up.clone();
    i < 12 ? up.view(-1)[i] += step : token_up.view(-1)[0] += step;
    i < 12 ? down.view(-1)[i] -= step : token_down.view(-1)[0] -= step;
    const double slope = (value(up, token_up) - value(down, token_down)).item<double>() / (2 * step);
    const double found = (i < 12 ? gradients[0].view(-1)[i] : gradients[1].view(-1)[0]).item<double>();
    EXPECT_NEAR(found, slope, 1e-5 * (1 + std::abs(slope))) << i;
  }
}

TEST(Blend, RefusesSetsThatDoNotFit) {
  const Sample sample;
  const auto fault = [&](const Numbers& sets, const Numbers& people) -> std::string {
    try {
      mean_over_people(sample.tokens, sets, people);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault({0, 0, 1, 1}, {1, 2, 3, 4}), "");
  EXPECT_THAT(fault({0, 0, 1}, {1, 2, 3, 4}), HasSubstr("3 sets and 4 people"));
  EXPECT_THAT(fault({0, 0, 2, 2}, {1, 2, 3, 4}), HasSubstr("no photo"));
  EXPECT_THAT(fault({0, 0, -1, 1}, {1, 2, 3, 4}), HasSubstr("without gaps"));
  EXPECT_THAT(fault({0, 0, 9, 1}, {1, 2, 3, 4}), HasSubstr("without gaps"));
}

}  // namespace
}  // namespace facemae
