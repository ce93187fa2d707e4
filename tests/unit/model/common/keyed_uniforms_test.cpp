#include "model/common/keyed_uniforms.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/random/keys.h"

namespace facemae {
namespace {

torch::Tensor some_keys(std::int64_t count) {
  auto keys = torch::empty({count}, torch::kInt64);
  for (std::int64_t i = 0; i < count; ++i)
    keys[i] = static_cast<std::int64_t>(row_key(key_of(3, Purpose::Network, static_cast<std::uint64_t>(i))));
  return keys;
}

TEST(KeyedUniforms, AreTheFinaliserOfSplitmix64) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;
  const auto keys = some_keys(5);
  for (const std::int64_t layer : {0, 2}) {
    const auto drawn = keyed_uniforms(keys, layer, 7);
    ASSERT_EQ(drawn.sizes(), (std::vector<std::int64_t>{5, 7}));
    for (std::int64_t row = 0; row < 5; ++row)
      for (std::int64_t i = 0; i < 7; ++i) {
        const auto key = static_cast<std::uint64_t>(keys[row].item<std::int64_t>());
        const auto of_layer = mix(key + static_cast<std::uint64_t>(layer + 1) * kGolden);
        const auto bits = mix(of_layer + static_cast<std::uint64_t>(i + 1) * kGolden);
        EXPECT_EQ(drawn[row][i].item<float>(), static_cast<float>(bits >> 40) * 0x1.0p-24F);
      }
  }
}

TEST(KeyedUniforms, DependOnTheKeyAloneAndAreUniform) {
  const auto keys = some_keys(400);
  const auto all = keyed_uniforms(keys, 1, 250);
  EXPECT_TRUE(torch::equal(keyed_uniforms(keys.narrow(0, 17, 5), 1, 250), all.narrow(0, 17, 5)));
  EXPECT_TRUE(torch::equal(keyed_uniforms(keys, 1, 10), all.narrow(1, 0, 10)));
  EXPECT_FALSE(torch::equal(keyed_uniforms(keys, 2, 250), all));
  // 100,000 values: bounds of five standard deviations.
  EXPECT_NEAR(all.mean().item<double>(), 0.5, 5 * 0.2887 / 316);
  EXPECT_NEAR(all.lt(0.1).to(torch::kFloat64).mean().item<double>(), 0.1, 5 * 0.3 / 316);
  const auto of_neighbours = (all.narrow(0, 0, 399) - 0.5) * (all.narrow(0, 1, 399) - 0.5);
  EXPECT_NEAR(of_neighbours.mean().item<double>(), 0, 5 * 0.0833 / 316);
  EXPECT_GE(all.min().item<double>(), 0);
  EXPECT_LT(all.max().item<double>(), 1);
}

TEST(KeptScaled, DropsByProbabilityAndKeepsTheMean) {
  const auto uniforms = torch::tensor({{0.0F, 0.3F}, {0.2F, 0.9F}});
  const auto kept = kept_scaled(uniforms, torch::tensor({0.1F, 0.5F}));
  EXPECT_TRUE(torch::allclose(kept, torch::tensor({{0.0F, 0.0F}, {1 / 0.9F, 2.0F}})));
  const auto many = kept_scaled(keyed_uniforms(some_keys(100), 0, 1000), torch::full({}, 0.4));
  EXPECT_NEAR(many.mean().item<double>(), 1, 5 * 0.8165 / 316);
}

}  // namespace
}  // namespace facemae
