#include "trainer/apply/what_fits.h"

#include <gmock/gmock.h>
#include <spdlog/fmt/fmt.h>

#include "checkpoint/tensors/wrappers.h"
#include "core/error.h"
#include "trainer/apply/models.h"

namespace facemae {
namespace {

using testing::HasSubstr;

Weights weights_of(const std::string& network) {
  Weights weights;
  weights.origin = "w.safetensors";
  weights.tensors = state_of(*make_network(network));
  return weights;
}

NamedTensors behind(const std::string& prefix, NamedTensors tensors) {
  for (auto& [name, value] : tensors) name.insert(0, prefix);
  return tensors;
}

TEST(WhatFits, IsTheNetworkWithTheseNamesAndShapes) {
  const NamedTensors tiny = weights_of("iresnet-tiny").tensors;
  EXPECT_EQ(what_fits(tiny), " They fit --network iresnet-tiny");
  EXPECT_THAT(what_fits(behind("module.", tiny)),
              HasSubstr("iresnet-tiny, once `facemae import` has removed"));
  EXPECT_THAT(what_fits({{"mask_token", torch::zeros(1)}, {"patch_embed.proj.weight", torch::zeros(1)}}),
              HasSubstr("--network facemae"));
  EXPECT_THAT(what_fits({{"cls_token", torch::zeros(1)}, {"patch_embed.proj.weight", torch::zeros(1)}}),
              HasSubstr("mae_visualize_vit"));
}

TEST(WhatFits, IsTheNearestNetworkOrNothing) {
  NamedTensors most = weights_of("iresnet-tiny").tensors;
  const std::size_t all = most.size();
  most.pop_back();
  most.emplace_back("head.weight", torch::zeros({2, 512}));
  EXPECT_EQ(
      what_fits(most),
      fmt::format(
          " The nearest is --network iresnet-tiny: {} of its {} tensors are among the {} that are there",
          all - 1, all, all));
  EXPECT_EQ(what_fits({{"conv1.weight", torch::zeros({64, 3, 7, 7})}}), "");
}

TEST(WhatFits, IsToldWhereWeightsAreRefused) {
  const Weights weights = weights_of("iresnet-tiny");
  const auto told = [&](const auto& use) -> std::string {
    try {
      use();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(told([&] { face_mae_from(weights); }), HasSubstr("They fit --network iresnet-tiny"));
  const std::string other = told([&] { network_from(weights, "iresnet18"); });
  EXPECT_THAT(other, HasSubstr("They fit --network iresnet-tiny"));
  EXPECT_THAT(other, HasSubstr(" more"));
  EXPECT_LT(other.size(), 1500U) << "some of hundreds of faults are shown";
}

TEST(Wrappers, AreRemovedWhereAllNamesHaveThem) {
  const NamedTensors plain = {{"a.weight", torch::zeros(1)}, {"module.b", torch::zeros(1)}};
  EXPECT_EQ(without_wrappers(plain)[1].first, "module.b");
  const auto bare = without_wrappers(behind("_orig_mod.", behind("module.", plain)));
  EXPECT_EQ(bare[0].first, "a.weight");
  EXPECT_EQ(bare[1].first, "module.b");
  EXPECT_TRUE(without_wrappers({}).empty());
}

}  // namespace
}  // namespace facemae
