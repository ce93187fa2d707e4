#include "model/recognition/slopes.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

namespace facemae {
namespace {

struct SlopedMap {
  torch::Tensor value, of_x, of_slopes;
};

template <class Call>
SlopedMap sloped_map(const torch::Tensor& x, const torch::Tensor& slopes, bool reduced, const Call& call) {
  const auto leaf = x.clone().requires_grad_(), weight = slopes.clone().requires_grad_();
  at::autocast::set_autocast_dtype(torch::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(torch::kCPU, reduced);
  const auto value = call(leaf, weight);
  at::autocast::set_autocast_enabled(torch::kCPU, false);
  at::autocast::clear_cache();
  torch::manual_seed(8);
  value.backward(torch::randn_like(value));
  return {value.detach(), leaf.grad(), weight.grad()};
}

TEST(Slopes, HaveTheBitsOfLibTorch) {
  torch::set_num_threads(1);
  torch::manual_seed(7);
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast})
    for (const bool reduced : {false, true})
      for (const std::int64_t side : {1, 5, 56}) {  // 56: more than one piece
        SCOPED_TRACE(side);
        auto x = torch::randn({3, 12, side, side});
        x.view({-1}).slice(0, 0, 3).zero_();
        x = x.contiguous(format);
        const auto slopes = torch::rand({12});
        const auto want = sloped_map(
            x, slopes, reduced, [](const auto& of, const auto& weight) { return torch::prelu(of, weight); });
        const auto got = sloped_map(x, slopes, reduced, [](const auto& of, const auto& weight) {
          auto layer = slopes_of(12);
          layer->weight = weight;
          return layer->forward(of);
        });
        EXPECT_EQ(got.value.scalar_type(), want.value.scalar_type());
        EXPECT_TRUE(torch::equal(got.value, want.value));
        EXPECT_TRUE(torch::equal(got.of_x, want.of_x));
        EXPECT_TRUE(torch::equal(got.of_slopes, want.of_slopes));
      }
}

}  // namespace
}  // namespace facemae
