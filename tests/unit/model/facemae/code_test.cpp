#include "model/facemae/code.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/common/state.h"

namespace facemae {
namespace {

FaceMae coded_model(int code = 3) {
  torch::set_num_threads(1);
  FaceMae model(FaceMaeConfig{.image = 16,
                              .patch = 8,
                              .width = 16,
                              .depth = 1,
                              .heads = 2,
                              .decoder_width = 8,
                              .decoder_depth = 1,
                              .decoder_heads = 2,
                              .code = code});
  model->initialise(7);
  return model;
}

TEST(Code, IsALinearMapOfClsNoLongerThanOne) {
  const torch::NoGradGuard no_grad;
  auto model = coded_model();
  torch::manual_seed(1);
  const auto latent =
      torch::randn({5, 3, 16}) * torch::tensor({0.01, 0.1, 1.0, 10.0, 100.0}).reshape({5, 1, 1});
  const auto codes = codes_of(*model, latent);
  const auto plain = model->embed_for_decoder(latent).select(1, 0).matmul(model->code_in->weight.t());
  for (std::int64_t i = 0; i < 5; ++i) {
    const double length = plain[i].norm().item<double>();
    EXPECT_LE(codes[i].norm().item<double>(), 1 + 1e-6);
    EXPECT_TRUE(torch::allclose(codes[i], plain[i] / std::max(1.0, length), 1e-5, 1e-6)) << length;
  }
  EXPECT_LT(plain[0].norm().item<double>(), 1) << "one is not clipped";
  EXPECT_GT(plain[4].norm().item<double>(), 1) << "one is";
}

TEST(Code, IsAllThatAPictureHasBesidesTheNuisanceThatItShows) {
  const torch::NoGradGuard no_grad;
  auto model = coded_model();
  torch::manual_seed(2);
  const auto codes = torch::rand({2, 3}), tokens = torch::rand({2, 3, 8});  // of cls and two kept patches
  const Nuisance nuisance{.tokens = tokens,
                          .kept = torch::tensor({{3, 1}, {0, 2}}, torch::kInt64),
                          .shown = torch::tensor({1.0F, 0.0F})};
  const auto made = tokens_of_codes(*model, codes, nuisance);
  const auto empty = model->mask_token[0][0];
  EXPECT_TRUE(torch::allclose(made.select(1, 0), codes.matmul(model->code_out->weight.t())));
  EXPECT_TRUE(torch::allclose(made[0][1 + 3], empty + tokens[0][1]));
  EXPECT_TRUE(torch::allclose(made[0][1 + 1], empty + tokens[0][2]));
  EXPECT_TRUE(torch::equal(made[0][1 + 0], empty));
  for (std::int64_t patch = 0; patch < 4; ++patch)
    EXPECT_TRUE(torch::equal(made[1][1 + patch], empty)) << patch;
}

TEST(Code, KeepsTwoPatchesOfTheNuisance) {
  for (const std::int64_t patches : {4, 16, 49, 64, 196, 256})
    EXPECT_EQ(kept_patches(patches, nuisance_ratio(patches)), 2);
}

TEST(Code, IsReadOffTheWeightsAndAbsentFromOthers) {
  const auto model = coded_model(5);
  EXPECT_EQ(config_from_weights(state_of(*model), 2, 2), model->config);
  const auto plain = coded_model(0);
  EXPECT_EQ(config_from_weights(state_of(*plain), 2, 2).code, 0);
  for (const auto& [name, tensor] : state_of(*plain)) EXPECT_FALSE(name.starts_with("code")) << name;
}

}  // namespace
}  // namespace facemae
