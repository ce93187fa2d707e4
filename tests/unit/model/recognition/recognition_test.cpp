#include "model/recognition/recognition.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "model/common/layout.h"
#include "model/common/state.h"
#include "tests/relative.h"

namespace facemae {
namespace {

torch::Tensor some_faces(std::int64_t count) {
  torch::manual_seed(1);
  return torch::rand({count, 3, 112, 112}) * 2 - 1;
}

TEST(RecognitionNetworks, NameTheNearestNetworkForAMisspeltOne) {
  try {
    make_network("iresnet500");
    FAIL() << "made an unknown network";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("did you mean iresnet50?"));
  }
  EXPECT_THROW(make_network("vit-m"), ConfigError);
}

TEST(RecognitionNetworks, FixTheScaleOfTheLastNormOfIresnets) {
  const auto network = make_network("iresnet-tiny");
  std::vector<std::string> fixed;
  for (const auto& item : network->named_parameters())
    if (!item.value().requires_grad()) fixed.push_back(item.key());
  EXPECT_EQ(fixed, std::vector<std::string>{"features.weight"});
  EXPECT_TRUE(network->named_parameters()["features.weight"].eq(1).all().item<bool>());
  for (const auto& parameter : make_network("mobilefacenet")->parameters())
    EXPECT_TRUE(parameter.requires_grad());
}

class EveryNetwork : public testing::TestWithParam<std::string> {};

TEST_P(EveryNetwork, StartsFromWeightsThatOnlySeedAndNameDecide) {
  const auto a = make_network(GetParam()), b = make_network(GetParam()), other = make_network(GetParam());
  a->initialise(7);
  torch::manual_seed(99);     // the library's own generator plays no part
  b->forward(some_faces(2));  // moves the running statistics, which initialise() has to reset
  b->initialise(7);
  other->initialise(8);
  const auto of_a = state_of(*a), of_b = state_of(*b), of_other = state_of(*other);
  ASSERT_EQ(of_a.size(), of_b.size());
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    EXPECT_TRUE(torch::equal(of_a[i].second, of_b[i].second)) << of_a[i].first;
    const bool drawn = of_a[i].second.dim() > 1 || of_a[i].first == "fc.bias";
    EXPECT_EQ(torch::equal(of_a[i].second, of_other[i].second), !drawn) << of_a[i].first;
  }
}

TEST_P(EveryNetwork, GivesTheSameEmbeddingsForRowsInChannelsLastMemory) {
  const auto network = make_network(GetParam());
  network->initialise(3);
  network->eval();
  torch::NoGradGuard no_grad;
  const auto faces = some_faces(2);
  const auto rows = network->forward(faces);
  ASSERT_EQ(rows.sizes(), (std::vector<std::int64_t>{2, kEmbeddingWidth}));
  lay_out(*network, torch::MemoryFormat::ChannelsLast);
  EXPECT_THAT(network->forward(faces), test::IsWithin(1e-5, rows));
  lay_out(*network, torch::MemoryFormat::Contiguous);
  EXPECT_TRUE(torch::equal(network->forward(faces), rows));
}

TEST_P(EveryNetwork, TrainsItsWholeBodyAndKeepsItsHeadInFloat32UnderAutocast) {
  const auto network = make_network(GetParam());
  network->initialise(3);
  network->train();
  at::autocast::set_autocast_dtype(torch::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(torch::kCPU, true);
  const auto embeddings = network->forward(some_faces(2));
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(torch::kCPU, false);
  EXPECT_EQ(embeddings.scalar_type(), torch::kFloat32);
  (embeddings * torch::linspace(-1, 1, embeddings.numel()).view_as(embeddings)).sum().backward();
  for (const auto& item : network->named_parameters()) {
    if (!item.value().requires_grad()) continue;
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Recognition, EveryNetwork,
                         testing::Values("iresnet-tiny", "iresnet18", "mobilefacenet"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Iresnet, DrawsConvolutionsAndFcAsUpstreamDoes) {
  const auto network = make_network("iresnet18");
  network->initialise(5);
  for (const auto& [name, weight] : state_of(*network)) {
    if (weight.dim() == 4 && weight.numel() > 50'000) {
      EXPECT_NEAR(weight.std().item<double>(), 0.1, 2e-3) << name;
      EXPECT_NEAR(weight.mean().item<double>(), 0, 2e-3) << name;
    } else if (name == "fc.weight") {
      const double bound = 1 / std::sqrt(25088.0);
      EXPECT_NEAR(weight.abs().max().item<double>(), bound, 1e-6);
      EXPECT_NEAR(weight.std().item<double>(), bound / std::sqrt(3.0), 1e-5);
    } else if (name.ends_with("prelu.weight")) {
      EXPECT_TRUE(weight.eq(0.25).all().item<bool>()) << name;
    } else if (name.ends_with("running_mean") || name.ends_with("bn1.bias")) {
      EXPECT_TRUE(weight.eq(0).all().item<bool>()) << name;
    }
  }
}

TEST(MobileFaceNet, DrawsWeightsWithTheFanOutOfReluNetworks) {
  const auto network = make_network("mobilefacenet");
  network->initialise(5);
  const auto weights = state_of(*network);
  const auto deviation = [&](const std::string& wanted) {
    for (const auto& [name, weight] : weights)
      if (name == wanted) return weight.std().item<double>();
    return -1.0;
  };
  EXPECT_NEAR(deviation("conv_sep.layers.0.weight"), std::sqrt(2.0 / 512), 1e-3);
  EXPECT_NEAR(deviation("features.layers.2.weight"), std::sqrt(2.0 / 512), 1e-3);
  EXPECT_NEAR(deviation("layers.1.layers.0.weight"), std::sqrt(2.0 / (128 * 9)), 3e-3);
}

}  // namespace
}  // namespace facemae
