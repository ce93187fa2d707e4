#include "model/recognition/flops.h"

#include <gtest/gtest.h>

#include "tests/unit/model/product_counter.h"
#include "tests/unit/model/recognition/tiny_networks.h"

namespace facemae {
namespace {

TEST(NetworkFlops, AreThoseOfAHandCount) {
  // iresnet-tiny: conv 3 -> 16 at 112; four stages of conv 3x3 at the side before, conv 3x3 at half, and a 1x1 beside.
  double forward = 2.0 * 112 * 112 * 27 * 16;
  double in = 16, side = 112;
  for (const double out : {16.0, 32.0, 64.0, 128.0}) {
    const double half = side / 2;
    forward += 2 * side * side * 9 * in * out + 2 * half * half * (9 * out * out + in * out);
    in = out;
    side = half;
  }
  forward += 2.0 * 49 * 128 + 2.0 * 128 * 512;  // a depthwise 7x7, and the embedding
  const Flops tiny = network_flops("iresnet-tiny");
  EXPECT_EQ(tiny.forward, forward);
  EXPECT_EQ(tiny.of_input, 2.0 * 112 * 112 * 27 * 16);
  EXPECT_EQ(tiny.trained(), 3 * forward - tiny.of_input);
}

TEST(NetworkFlops, AreThoseOfTheOperatorsThatTrainIt) {
  torch::manual_seed(1);
  const auto network = make_network("iresnet-tiny");
  const auto images = torch::randn({2, 3, 112, 112});
  const test::ProductCounter counted;
  network->forward(images).sum().backward();
  EXPECT_EQ(counted.flops(), 2 * network_flops("iresnet-tiny").trained());
}

TEST(NetworkFlops, AreThoseOfTheOperatorsOfEachFamily) {
  const torch::NoGradGuard no_grad;
  for (const char* name : {"mobilefacenet", "mobilefacenet-large", "iresnet18", "ir18", "vit-t"}) {
    const auto options = NetworkOptions::drawing_nothing(128);
    const auto network = make_network(name, options);
    network->eval();
    const test::ProductCounter counted;
    network->forward(torch::zeros({1, 3, 112, 112}));
    EXPECT_EQ(counted.flops(), network_flops(name, options).forward) << name;
  }
}

TEST(NetworkFlops, OfBlocksAreThoseOfTheTokensThatTheySee) {
  const torch::NoGradGuard no_grad;
  const auto network = test::tiny_vit({.embedding = 64, .drop_path = 0.1, .mask_tokens = 0.5});
  const test::ProductCounter counted;
  network->forward_drawn(torch::zeros({2, 3, 112, 112}), test::keys_from(0, 2));
  const FaceVitConfig config{.width = 32, .depth = 2, .mask_tokens = 0.5};
  EXPECT_EQ(counted.flops(), 2 * flops_of(config, 64).forward);
}

TEST(NetworkFlops, AreThosePublished) {
  // Multiply-accumulates in 10^9 of insightface's tables.
  const NetworkOptions nothing = NetworkOptions::drawing_nothing();
  EXPECT_NEAR(network_flops("iresnet200", nothing).forward / 2e9, 23.4, 0.05);
  EXPECT_NEAR(network_flops("mobilefacenet-large", nothing).forward / 2e9, 1.82, 0.01);
  EXPECT_NEAR(network_flops("vit-b", nothing).forward / 2e9, 11.44, 0.01);
  EXPECT_NEAR(network_flops("vit-l", nothing).forward / 2e9, 25.3, 0.05);
}

TEST(NetworkFlops, AreKnownOfAllNetworks) {
  for (const auto& kind : network_kinds()) EXPECT_GT(network_flops(kind.name).forward, 1e8) << kind.name;
  EXPECT_EQ(network_flops("another").forward, 0);
}

TEST(SoftmaxFlops, AreThreeProducts) { EXPECT_EQ(softmax_flops(1000), 3 * 2.0 * 512 * 1000); }

}  // namespace
}  // namespace facemae
