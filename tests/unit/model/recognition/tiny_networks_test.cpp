// What holds for every class of networks, tried on small ones.
#include "tests/unit/model/recognition/tiny_networks.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/common/state.h"
#include "model/recognition/aliases.h"
#include "tests/relative.h"

namespace facemae {
namespace {

class TinyNetworks : public testing::TestWithParam<test::TinyNetwork> {};

/// State and gradients.
using Left = std::vector<std::pair<std::string, torch::Tensor>>;

Left left_by_a_step(const test::TinyNetwork& tiny, bool recomputes) {
  const auto network = tiny.make({.embedding = 16, .activation_checkpointing = recomputes});
  network->initialise(3);
  network->train();
  auto faces = test::faces_of_noise(4).requires_grad_();
  const auto rows = network->forward_drawn(faces, test::keys_from(0, 4));
  torch::manual_seed(9);
  rows.backward(torch::randn_like(rows));
  Left left = state_of(*network);
  left.emplace_back("rows", rows.detach());
  left.emplace_back("faces.grad", faces.grad());
  for (const auto& item : network->named_parameters())
    if (item.value().requires_grad()) left.emplace_back(item.key() + ".grad", item.value().grad());
  return left;
}

TEST_P(TinyNetworks, LeaveTheSameWhenTheyRecompute) {
  const Left plain = left_by_a_step(GetParam(), false), again = left_by_a_step(GetParam(), true);
  ASSERT_EQ(plain.size(), again.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    ASSERT_EQ(plain[i].first, again[i].first);
    ASSERT_TRUE(plain[i].second.defined() && again[i].second.defined()) << plain[i].first;
    EXPECT_THAT(again[i].second, test::IsWithin(1e-6, plain[i].second)) << plain[i].first;
    if (plain[i].first.ends_with("num_batches_tracked")) {
      EXPECT_EQ(again[i].second.item<std::int64_t>(), 1) << plain[i].first;
    }
  }
}

TEST_P(TinyNetworks, DrawOfARowByItsKeyAlone) {
  const auto network = GetParam().make({.drop_path = 0.5, .mask_tokens = 0.3, .dropout = 0.3});
  network->initialise(3);
  network->eval();  // a row's value does not depend on others through norms
  const torch::NoGradGuard no_grad;
  const auto faces = test::faces_of_noise(6);
  const auto all = network->forward_drawn(faces, test::keys_from(10, 6));
  const auto part = network->forward_drawn(faces.narrow(0, 2, 3), test::keys_from(12, 3));
  EXPECT_THAT(part, test::IsWithin(1e-5, all.narrow(0, 2, 3)));
  const auto others = network->forward_drawn(faces, test::keys_from(16, 6));
  EXPECT_EQ(test::relative_distance(others, all) > 1e-2, network->draws());
  EXPECT_EQ(test::relative_distance(network->forward(faces), all) > 1e-2, network->draws());
}

TEST_P(TinyNetworks, GiveAsManyValuesAsAreAskedFor) {
  for (const std::int64_t values : {128, 256}) {
    const auto network = GetParam().make({.embedding = values});
    network->initialise(3);
    network->eval();
    const torch::NoGradGuard no_grad;
    EXPECT_EQ(network->width(), values);
    EXPECT_EQ(network->forward(test::faces_of_noise(2)).sizes(), (std::vector<std::int64_t>{2, values}));
  }
}

TEST_P(TinyNetworks, StartFromWeightsThatOnlySeedAndNameDecide) {
  const auto a = GetParam().make({}), b = GetParam().make({}), other = GetParam().make({});
  a->initialise(7);
  torch::manual_seed(99);
  b->forward(test::faces_of_noise(2));  // moves the running statistics
  b->initialise(7);
  other->initialise(8);
  const Left of_a = state_of(*a), of_b = state_of(*b), of_other = state_of(*other);
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    const auto& [name, value] = of_a[i];
    EXPECT_TRUE(torch::equal(value, of_b[i].second)) << name;
    const bool drawn = value.dim() > 1 || name == "fc.bias" || name == "patch_embed.proj.bias";
    EXPECT_EQ(torch::equal(value, of_other[i].second), !drawn) << name;
  }
}

TEST_P(TinyNetworks, TrainInBfloat16WithAHeadInFloat32) {
  const auto network = GetParam().make({});
  network->initialise(3);
  at::autocast::set_autocast_dtype(torch::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(torch::kCPU, true);
  const auto rows = network->forward_drawn(test::faces_of_noise(2), test::keys_from(0, 2));
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(torch::kCPU, false);
  EXPECT_EQ(rows.scalar_type(), torch::kFloat32);
  (rows * torch::linspace(-1, 1, rows.numel()).view_as(rows)).sum().backward();
  for (const auto& item : network->named_parameters()) {
    if (!item.value().requires_grad()) continue;
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Recognition, TinyNetworks, testing::ValuesIn(test::tiny_networks()),
                         [](const auto& tested) { return tested.param.name; });

TEST(FaceVitTraining, DropsPathsAndReplacesTokensWhereItIsTold) {
  const auto faces = test::faces_of_noise(3);
  const auto keys = test::keys_from(0, 3);
  const auto gradient_of_token = [&](const NetworkOptions& options) {
    const auto network = test::tiny_vit(options);
    network->initialise(3);
    network->forward_drawn(faces, keys).pow(3).sum().backward();
    const auto token = network->named_parameters()["mask_token"];
    return token.requires_grad() ? token.grad().norm().item<double>() : -1;
  };
  EXPECT_GT(gradient_of_token({.drop_path = 0, .mask_tokens = 0.2}), 0);
  EXPECT_EQ(gradient_of_token({.drop_path = 0.2, .mask_tokens = 0}), -1) << "it is trained without masks";
  EXPECT_FALSE(test::tiny_vit(NetworkOptions::drawing_nothing())->draws());
}

TEST(IrBlocks, SubsampleTheirInputWhereWidthsAreEqual) {
  IrBlock block(4, 4, 2);
  block.eval();
  const torch::NoGradGuard no_grad;
  const auto convolution = block.named_parameters()["res_layer.4.weight"];
  convolution.zero_();
  const auto x = torch::arange(4 * 36, torch::kFloat32).view({1, 4, 6, 6});
  const auto y = block.forward(x);
  EXPECT_TRUE(torch::equal(y, torch::max_pool2d(x, {1, 1}, {2, 2})));
}

TEST(EmbeddingWidth, IsReadFromShapes) {
  for (const char* name : {"iresnet-tiny", "mobilefacenet"}) {
    const auto state = state_of(*make_network(name, {.embedding = 128}));
    EXPECT_EQ(embedding_width_of(name, state), 128) << name;
    EXPECT_EQ(embedding_width_of("vit-t", state), kEmbeddingWidth) << "they are not its weights";
  }
}

TEST(NetworkAliases, StandForNetworksAndWhatTheySayOfThem) {
  const auto names = network_names();
  for (const auto& row : network_aliases()) {
    EXPECT_THAT(names, testing::Contains(row.name)) << row.alias;
    EXPECT_THAT(names, testing::Not(testing::Contains(std::string(row.alias))));
  }
  EXPECT_EQ(network_name_now("r50"), "iresnet50");
  EXPECT_EQ(network_name_now("vit_t_dp005_mask0"), "vit-t");
  EXPECT_EQ(network_name_now("iresnet50"), "iresnet50");
  ASSERT_NE(find_network_alias("vit_s_dp005_mask_0"), nullptr);
  EXPECT_EQ(find_network_alias("vit_s_dp005_mask_0")->drop_path, 0.05);
  EXPECT_EQ(find_network_alias("vit_s_dp005_mask_0")->mask_tokens, 0);
  EXPECT_EQ(find_network_alias("iresnet50"), nullptr);
}

}  // namespace
}  // namespace facemae
