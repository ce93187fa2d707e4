#include "model/facemae/flops.h"

#include <gtest/gtest.h>

#include "model/common/masking.h"
#include "tests/unit/model/product_counter.h"

namespace facemae {
namespace {

constexpr FaceMaeConfig kSmall{.image = 16,
                               .patch = 4,
                               .width = 16,
                               .depth = 2,
                               .heads = 2,
                               .decoder_width = 12,
                               .decoder_depth = 1,
                               .decoder_heads = 3};

TEST(FaceMaeFlops, AreThoseOfAHandCount) {
  // 16 patches, 4 kept: 5 tokens of width 16 in two blocks, 17 of width 12 in one.
  const double projection = 2.0 * 4 * 48 * 16, block = 24.0 * 5 * 16 * 16 + 4.0 * 5 * 5 * 16;
  const auto of = flops_of(kSmall, 0.75);
  EXPECT_EQ(of.encoder.of_input, projection);
  EXPECT_EQ(of.encoder.forward, projection + 2 * block + 2.0 * 5 * 16 * 12);
  EXPECT_EQ(of.decoder, 24.0 * 17 * 12 * 12 + 4.0 * 17 * 17 * 12 + 2.0 * 17 * 12 * 48);
}

TEST(FaceMaeFlops, AreThoseOfTheOperatorsThatTrainIt) {
  FaceMae model(kSmall);
  model->initialise(1);
  const std::vector<std::uint64_t> keys = {1, 2, 3};
  const auto mask = random_masks(keys, kSmall.patches(), 0.75, torch::kCPU);
  const auto images = torch::randn({3, 3, 16, 16});
  const test::ProductCounter counted;
  model->decode(model->encode(images, mask), mask).sum().backward();
  const auto of = flops_of(kSmall, 0.75);
  EXPECT_EQ(counted.flops(), 3 * (of.encoder.trained() + 3 * of.decoder));
}

TEST(RandomEmbedderFlops, AreThoseOfItsOperators) {
  const RandomEmbedderConfig config{.size = 16, .width = 4};
  const auto embedder = random_embedder(config);
  const auto images = torch::randn({2, 3, 32, 32}).requires_grad_(true);
  const test::ProductCounter counted;
  const auto embedding = embedder->embed(images);
  EXPECT_EQ(counted.flops(), 2 * flops_of(config).forward);
  EXPECT_EQ(flops_of(config).forward, 2.0 * 256 * 27 * 4 + 2.0 * 64 * 36 * 4 + 2.0 * 16 * 36 * 4);
  embedding.sum().backward();
  EXPECT_EQ(counted.flops(), 2 * flops_of(config).passed_through());
}

}  // namespace
}  // namespace facemae
