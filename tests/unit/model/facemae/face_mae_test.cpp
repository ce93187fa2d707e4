#include "model/facemae/face_mae.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/torch.h>

#include <array>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "model/common/state.h"
#include "model/facemae/losses.h"

namespace facemae {
namespace {

FaceMaeConfig small_config() {
  return {.image = 32,
          .patch = 8,
          .width = 48,
          .depth = 2,
          .heads = 3,
          .decoder_width = 24,
          .decoder_depth = 1,
          .decoder_heads = 2};
}

FaceMae made(std::uint64_t seed, const FaceMaeConfig& config = small_config()) {
  torch::set_num_threads(1);
  FaceMae mae(config);
  mae->initialise(seed);
  return mae;
}

Masked masks(std::int64_t images, const FaceMaeConfig& config = small_config()) {
  std::vector<std::uint64_t> keys(static_cast<std::size_t>(images));
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = 100 + i;
  return random_masks(keys, config.patches(), 0.75, torch::kCPU);
}

torch::Tensor noise_images(std::int64_t count, std::int64_t side) {
  torch::manual_seed(3);
  return torch::rand({count, 3, side, side}) * 2 - 1;
}

torch::Tensor loss_of(FaceMae mae, const torch::Tensor& images, const Masked& mask) {
  const auto predicted = mae->decode(mae->encode(images, mask), mask);
  const double count = std::max(1.0, static_cast<double>(images.size(0)) * 12);
  return reconstruction_share(predicted, mae->patchify(images), mask, Reconstruction::Hidden, count);
}

TEST(FaceMaeConfig, KnowsTheSizesByName) {
  const auto base = face_mae_config("base", 224, 16);
  EXPECT_EQ(base.width, 768);
  EXPECT_EQ(base.decoder_heads, 16);
  EXPECT_EQ(base.patches(), 196);
  EXPECT_EQ(face_mae_config("tiny", 112, 8), FaceMaeConfig());
  try {
    face_mae_config("lage", 224, 16);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("large"));
  }
  EXPECT_THROW(face_mae_config("base", 112, 15), ConfigError);
}

TEST(FaceMaeConfig, HasTheParametersOfTheOfficialBaseModel) {
  const FaceMae mae(face_mae_config("base", 224, 16));
  std::int64_t total = 0;
  for (const auto& parameter : mae->parameters()) total += parameter.numel();
  EXPECT_EQ(total, 111907840);  // 111.9 M, position tables included
}

TEST(FaceMaeConfig, RefusesWhatDoesNotDivide) {
  auto config = small_config();
  config.heads = 5;
  EXPECT_THROW(FaceMae{config}, ConfigError);
  config = small_config();
  config.image = 30;
  EXPECT_THROW(FaceMae{config}, ConfigError);
  config = small_config();
  config.decoder_width = 22;
  EXPECT_THROW(FaceMae{config}, ConfigError);
}

TEST(FaceMae, NamesItsStateAsTheOfficialCodeDoes) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state_of(*made(1))) names.push_back(name);
  ASSERT_GE(names.size(), 18U);
  EXPECT_THAT(
      std::vector(names.begin(), names.begin() + 18),
      testing::ElementsAre("cls_token", "pos_embed", "mask_token", "decoder_pos_embed",
                           "patch_embed.proj.weight", "patch_embed.proj.bias", "blocks.0.norm1.weight",
                           "blocks.0.norm1.bias", "blocks.0.attn.qkv.weight", "blocks.0.attn.qkv.bias",
                           "blocks.0.attn.proj.weight", "blocks.0.attn.proj.bias", "blocks.0.norm2.weight",
                           "blocks.0.norm2.bias", "blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc1.bias",
                           "blocks.0.mlp.fc2.weight", "blocks.0.mlp.fc2.bias"));
  EXPECT_EQ(names.size(), 4U + 2 + 3 * 12 + 2 + 2 + 2 + 2);
  EXPECT_EQ(config_from_weights(state_of(*made(1)), 3, 2), small_config());
}

TEST(FaceMae, ExplainsThatAnEncoderAloneIsNotEnough) {
  auto weights = state_of(*made(1));
  std::erase_if(weights, [](const auto& item) { return item.first.starts_with("decoder"); });
  try {
    config_from_weights(weights, 3, 2);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("decoder_embed.weight is missing"));
  }
}

TEST(FaceMae, StartsFromTheSameWeightsWhateverWasDrawnBefore) {
  const auto a = made(7);
  torch::manual_seed(99);
  const auto b = made(7), c = made(8);
  const auto x = state_of(*a), y = state_of(*b), z = state_of(*c);
  int different = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_TRUE(torch::equal(x[i].second, y[i].second)) << x[i].first;
    different += torch::equal(x[i].second, z[i].second) ? 0 : 1;
  }
  EXPECT_GT(different, 10);
}

TEST(FaceMae, DrawsItsWeightsAsTheOfficialCodeDoes) {
  auto mae = made(7, face_mae_config("tiny", 112, 8));
  const auto check_uniform = [](const torch::Tensor& weight, double bound) {
    EXPECT_LE(weight.abs().max().item<double>(), bound);
    EXPECT_GT(weight.abs().max().item<double>(), 0.99 * bound);
    EXPECT_NEAR(weight.std().item<double>(), bound / std::sqrt(3.0), 0.02 * bound);
    EXPECT_NEAR(weight.mean().item<double>(), 0, 0.02 * bound);
  };
  const auto parameters = mae->named_parameters();
  check_uniform(parameters["patch_embed.proj.weight"], std::sqrt(6.0 / (192 + 192)));
  check_uniform(parameters["blocks.0.attn.qkv.weight"], std::sqrt(6.0 / (192 + 3 * 192)));
  check_uniform(parameters["decoder_pred.weight"], std::sqrt(6.0 / (96 + 192)));
  EXPECT_EQ(parameters["blocks.3.mlp.fc1.bias"].abs().sum().item<double>(), 0);
  EXPECT_TRUE(torch::equal(parameters["norm.weight"], torch::ones({192})));
  EXPECT_NEAR(parameters["cls_token"].std().item<double>(), 0.02, 0.005);
  EXPECT_NEAR(parameters["mask_token"].std().item<double>(), 0.02, 0.006);
  EXPECT_FALSE(
      torch::equal(parameters["blocks.0.attn.proj.weight"], parameters["blocks.1.attn.proj.weight"]));
  EXPECT_FALSE(parameters["pos_embed"].requires_grad());
  EXPECT_FALSE(parameters["decoder_pos_embed"].requires_grad());
}

TEST(FaceMae, DrawsTheBaseSizeInSeconds) {
  FaceMae mae(face_mae_config("base", 112, 8));
  const auto start = std::chrono::steady_clock::now();
  mae->initialise(1);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("base size drawn in %.2f s\n", took.count());
  EXPECT_LT(took.count(), 20) << "the bar is 5 s on an idle machine";
}

TEST(FaceMae, RebuildsEachImageWhateverTheRestOfTheBatch) {
  auto mae = made(7);
  const auto images = noise_images(3, 32);
  const auto mask = masks(3);
  const auto whole = mae->decode(mae->encode(images, mask), mask);
  const Masked second{
      .kept = mask.kept.narrow(0, 1, 1), .restore = mask.restore.narrow(0, 1, 1), .hidden = {}};
  const auto alone = mae->decode(mae->encode(images.narrow(0, 1, 1), second), second);
  EXPECT_LT((alone - whole.narrow(0, 1, 1)).norm().item<double>() / alone.norm().item<double>(), 1e-5);
}

TEST(FaceMae, NeverLooksAtHiddenPatches) {
  auto mae = made(7);
  const auto images = noise_images(2, 32);
  const auto mask = masks(2);
  auto other = mae->patchify(images);
  other = torch::where(mask.hidden.unsqueeze(2) > 0, torch::full_like(other, 0.9), other);
  const auto a = mae->decode(mae->encode(images, mask), mask);
  const auto b = mae->decode(mae->encode(mae->unpatchify(other), mask), mask);
  EXPECT_TRUE(torch::equal(a, b));
}

TEST(FaceMae, TakesABatchWithoutImages) {
  for (const bool recompute : {false, true}) {
    auto config = small_config();
    config.activation_checkpointing = recompute;
    auto mae = made(7, config);
    const auto images = torch::zeros({0, 3, 32, 32});
    const auto mask = masks(0);
    const auto predicted = mae->decode(mae->encode(images, mask), mask);
    EXPECT_EQ(predicted.sizes(), (std::vector<std::int64_t>{0, 16, 192}));
    ASSERT_TRUE(predicted.requires_grad());
    loss_of(mae, images, mask).backward();
    for (const auto& item : mae->named_parameters()) {
      if (!item.value().requires_grad()) continue;
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_EQ(item.value().grad().abs().sum().item<double>(), 0) << item.key();
    }
  }
}

TEST(FaceMae, RecomputesTheSameGradientsAlsoUnderAutocast) {
  const auto images = noise_images(2, 32);
  const auto mask = masks(2);
  for (const bool autocast : {false, true}) {
    std::array<std::vector<torch::Tensor>, 2> gradients;
    for (const bool recompute : {false, true}) {
      auto config = small_config();
      config.activation_checkpointing = recompute;
      auto mae = made(7, config);
      at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
      at::autocast::set_autocast_enabled(at::kCPU, autocast);
      const auto loss = loss_of(mae, images, mask);
      at::autocast::clear_cache();
      at::autocast::set_autocast_enabled(at::kCPU, false);
      EXPECT_EQ(loss.scalar_type(), torch::kFloat32);
      loss.backward();
      for (const auto& parameter : mae->parameters())
        if (parameter.requires_grad()) gradients[recompute ? 1 : 0].push_back(parameter.grad());
    }
    ASSERT_EQ(gradients[0].size(), gradients[1].size());
    for (std::size_t i = 0; i < gradients[0].size(); ++i) {
      ASSERT_TRUE(gradients[0][i].defined() && gradients[1][i].defined());
      EXPECT_TRUE(torch::allclose(gradients[0][i], gradients[1][i], 1e-5, 1e-8))
          << i << " autocast " << autocast;
    }
  }
}

TEST(FaceMae, FiresAccumulationHooksOnceForRecomputedBlocks) {
  auto config = small_config();
  config.activation_checkpointing = true;
  auto mae = made(7, config);
  auto weight = mae->named_parameters()["blocks.0.mlp.fc1.weight"];
  int fired = 0;
  const auto accumulator = torch::autograd::impl::grad_accumulator(weight);
  accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
      [&](const torch::autograd::variable_list& outputs, const torch::autograd::variable_list& /*inputs*/) {
        EXPECT_TRUE(weight.grad().defined());
        ++fired;
        return outputs;
      }));
  loss_of(mae, noise_images(2, 32), masks(2)).backward();
  EXPECT_EQ(fired, 1) << "the reducer overlaps communication with backward through such hooks";
}

TEST(FaceMae, LearnsToRebuildOneBatch) {
  auto mae = made(7);
  const auto images = noise_images(2, 32) * 0.1 + 0.5;
  const auto mask = masks(2);
  torch::optim::AdamW optimiser(mae->parameters(), torch::optim::AdamWOptions(2e-3));
  double first = 0, last = 0;
  for (int step = 0; step < 30; ++step) {
    optimiser.zero_grad();
    const auto loss = loss_of(mae, images, mask);
    loss.backward();
    optimiser.step();
    (step == 0 ? first : last) = loss.item<double>();
  }
  EXPECT_LT(last, 0.2 * first);
}

TEST(FaceMae, LoadsWeightsOfAnotherGrid) {
  const auto from = made(7);
  auto config = small_config();
  config.image = 64;
  FaceMae to(config);
  EXPECT_THROW(load_state(*to, state_of(*from)), ConfigError);
  load_state(*to, fit_positions(state_of(*from), config));
  EXPECT_TRUE(torch::equal(to->cls_token, from->cls_token));
  EXPECT_EQ(to->pos_embed.sizes(), (std::vector<std::int64_t>{1, 65, 48}));
}

TEST(FaceMae, RefusesImagesOfAnotherSize) {
  auto mae = made(7);
  EXPECT_THROW(mae->encode(torch::zeros({1, 3, 64, 64}), masks(1)), ConfigError);
}

}  // namespace
}  // namespace facemae
