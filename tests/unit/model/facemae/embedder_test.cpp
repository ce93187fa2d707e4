#include "model/facemae/embedder.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"

namespace facemae {
namespace {

torch::Tensor images_of(std::int64_t count, std::int64_t side) {
  torch::manual_seed(5);
  return torch::rand({count, 3, side, side}) * 2 - 1;
}

TEST(RandomEmbedder, HasTheWidthThatItsOptionsSay) {
  const auto images = images_of(2, 112);
  EXPECT_EQ(random_embedder({})->embed(images).sizes(), (std::vector<std::int64_t>{2, 128 * 7 * 7}));
  EXPECT_EQ(random_embedder({.size = 28, .width = 16})->embed(images).sizes(),
            (std::vector<std::int64_t>{2, 16 * 3 * 3}));
  EXPECT_EQ(random_embedder({.size = 112, .width = 4})->embed(images).sizes(),
            (std::vector<std::int64_t>{2, 4 * 14 * 14}));
  EXPECT_THROW(random_embedder({.size = 4}), ConfigError);
  EXPECT_THROW(random_embedder({.width = 0}), ConfigError);
}

TEST(RandomEmbedder, AveragesItsMapToAGrid) {
  const auto images = images_of(2, 56);
  const auto map = random_embedder({.width = 8})->embed(images).reshape({2, 8, 7, 7});
  const auto one = random_embedder({.width = 8, .grid = 1})->embed(images);
  EXPECT_TRUE(torch::allclose(one, map.mean({2, 3}), 1e-5, 1e-6));
  EXPECT_EQ(random_embedder({.width = 8, .grid = 2})->embed(images).sizes(),
            (std::vector<std::int64_t>{2, 8 * 4}));
  EXPECT_EQ(random_embedder({.width = 8, .grid = 2})->embed(images.narrow(0, 0, 0)).size(1), 8 * 4);
  EXPECT_TRUE(torch::equal(random_embedder({.width = 8, .grid = 9})->embed(images), map.flatten(1)))
      << "there is nothing to average";
}

TEST(RandomEmbedder, IsNearlyTheSameUnderAutocast) {
  const auto images = images_of(2, 56);
  const auto embedder = random_embedder({.width = 16, .grid = 2});
  const auto exact = embedder->embed(images);
  at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto rough = embedder->embed(images);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_EQ(rough.scalar_type(), torch::kFloat32);
  const double apart = ((rough - exact).norm() / exact.norm()).item<double>();
  EXPECT_LT(apart, 0.03);
  EXPECT_GT(apart, 0) << "this was not computed in bfloat16";
}

TEST(RandomEmbedder, IsAPureFunctionOfItsSeedAndStep) {
  const auto images = images_of(2, 32);
  const auto at = [&](std::uint64_t seed, std::uint64_t redraw, const std::vector<std::uint64_t>& steps) {
    const auto embedder = random_embedder({.size = 16, .width = 8, .redraw = redraw, .seed = seed});
    for (const auto step : steps) embedder->at_step(step);
    return embedder->embed(images);
  };
  EXPECT_TRUE(torch::equal(at(1, 1, {5}), at(1, 1, {0, 9, 2, 5}))) << "history must not matter";
  EXPECT_FALSE(torch::equal(at(1, 1, {5}), at(1, 1, {6})));
  EXPECT_FALSE(torch::equal(at(1, 1, {5}), at(2, 1, {5})));
  EXPECT_TRUE(torch::equal(at(1, 4, {4}), at(1, 4, {7}))) << "redrawn within its four steps";
  EXPECT_FALSE(torch::equal(at(1, 4, {7}), at(1, 4, {8})));
  EXPECT_TRUE(torch::equal(at(1, 0, {0}), at(1, 0, {1000}))) << "0 means never";
}

TEST(RandomEmbedder, PoolsLargerImagesByTheirMean) {
  const auto images = images_of(1, 32);
  const auto embedder = random_embedder({.size = 16, .width = 8});
  const auto pooled = images.reshape({1, 3, 16, 2, 16, 2}).mean({3, 5});
  EXPECT_TRUE(torch::allclose(embedder->embed(images), embedder->embed(pooled), 1e-4, 1e-5));
}

TEST(RandomEmbedder, SendsGradientsToTheImages) {
  const auto images = images_of(2, 16).requires_grad_();
  const auto embedder = random_embedder({.size = 16, .width = 8});
  embedder->embed(images).square().sum().backward();
  EXPECT_GT(images.grad()[0].norm().item<float>(), 0);
  EXPECT_GT(images.grad()[1].norm().item<float>(), 0);
}

TEST(RandomEmbedder, IgnoresBrightnessAndContrastOfAnEmbeddingsInput) {
  // What instance norm is there for; away from the border, whose zero padding does see brightness.
  const auto images = images_of(1, 16);
  const auto embedder = random_embedder({.size = 16, .width = 8});
  EXPECT_LT((embedder->embed(images) - embedder->embed(images * 0.5)).norm().item<float>(),
            0.01 * embedder->embed(images).norm().item<float>());
}

TEST(RandomEmbedder, TakesABatchWithoutImages) {
  const auto images = torch::zeros({0, 3, 112, 112}).requires_grad_();
  const auto embeddings = random_embedder({.size = 56, .width = 8})->embed(images);
  EXPECT_EQ(embeddings.sizes(), (std::vector<std::int64_t>{0, 8 * 7 * 7}));
  ASSERT_TRUE(embeddings.requires_grad());
  embeddings.sum().backward();
  EXPECT_EQ(images.grad().sizes(), images.sizes());
}

/// A recognition network whose output is easy to predict.
struct MeanNetwork : RecognitionNetwork {
  MeanNetwork() {
    scale = register_parameter("scale", torch::full({1}, 2.0F));
    dropout = register_module("dropout", torch::nn::Dropout(0.5));
  }
  torch::Tensor forward(const torch::Tensor& images) override {
    seen = images.sizes().vec();
    return dropout->forward(images.mean({1, 2, 3}).unsqueeze(1).expand({images.size(0), kEmbeddingWidth}) *
                            scale);
  }
  void initialise(std::uint64_t /*seed*/) override {}
  torch::Tensor scale;
  torch::nn::Dropout dropout{nullptr};
  std::vector<std::int64_t> seen;
};

TEST(NetworkEmbedder, FreezesTheNetworkAndPutsItIntoEvaluation) {
  const auto network = std::make_shared<MeanNetwork>();
  network->train();
  const auto embedder = network_embedder(network);
  const auto images = images_of(2, 112).requires_grad_();
  const auto embeddings = embedder->embed(images);
  EXPECT_TRUE(torch::allclose(embeddings[0][0], images[0].mean() * 2)) << "dropout is still on";
  embeddings.sum().backward();
  EXPECT_FALSE(network->scale.grad().defined());
  EXPECT_TRUE(images.grad().defined());
}

TEST(NetworkEmbedder, ResizesOtherImagesToTheNetworksSize) {
  const auto network = std::make_shared<MeanNetwork>();
  const auto embedder = network_embedder(network);
  const auto images = images_of(2, 224);
  EXPECT_NEAR(embedder->embed(images)[0][0].item<float>(), 2 * images[0].mean().item<float>(), 1e-3);
  EXPECT_EQ(network->seen, (std::vector<std::int64_t>{2, 3, 112, 112}));
}

TEST(NetworkEmbedder, TakesABatchWithoutImages) {
  const auto embedder = network_embedder(std::make_shared<MeanNetwork>());
  EXPECT_EQ(embedder->embed(torch::zeros({0, 3, 112, 112})).sizes(), (std::vector<std::int64_t>{0, 512}));
}

}  // namespace
}  // namespace facemae
