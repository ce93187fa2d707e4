// The stand-in itself: it computes what the CPU computes, refuses what CUDA refuses, and counts.
#include "tests/rehearsal/device.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <thread>

#include "tests/rehearsal/counters.h"
#include "trainer/step/precision.h"
#include "trainer/step/stretch_clock.h"

namespace facemae::rehearsal {
namespace {

const torch::Device kDevice(kType, 1);

struct StandIn : testing::Test {
  StandIn() {
    install();
    torch::manual_seed(1);
    reset_counters();
  }
};

/// A function of leaves: the same values and gradients to the last bit on both devices.
void expect_same(const std::vector<torch::Tensor>& given,
                 const std::function<torch::Tensor(std::vector<torch::Tensor>&)>& function,
                 Precision precision = Precision::Float32) {
  std::vector<std::vector<torch::Tensor>> leaves(2);
  std::vector<torch::Tensor> values;
  for (int d = 0; d < 2; ++d) {
    const torch::Device device = d == 0 ? torch::Device(torch::kCPU) : kDevice;
    for (const auto& tensor : given) {
      auto leaf = tensor.detach().to(device, /*non_blocking=*/false, /*copy=*/true);
      leaves[d].push_back(leaf.requires_grad_(leaf.is_floating_point()));
    }
    const Autocast autocast(precision, device);
    values.push_back(function(leaves[d]));
    values.back().sum().to(torch::kFloat32).backward();
  }
  EXPECT_EQ(values[1].device(), kDevice);
  EXPECT_TRUE(values[1].cpu().equal(values[0]));
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!leaves[0][i].grad().defined()) continue;
    EXPECT_EQ(leaves[1][i].grad().device(), kDevice);
    EXPECT_TRUE(leaves[1][i].grad().cpu().equal(leaves[0][i].grad())) << "gradient " << i;
  }
}

TEST_F(StandIn, ComputesValuesAndGradientsOfTheOperatorsOfNetworksAsCpusDo) {
  for (const Precision precision : {Precision::Float32, Precision::BFloat16}) {
    SCOPED_TRACE(static_cast<int>(precision));
    const auto image = torch::randn({2, 3, 8, 8});
    expect_same(
        {image, torch::randn({4, 3, 3, 3}), torch::randn({4}), torch::randn({4})},
        [](auto& t) {
          auto x = torch::conv2d(t[0], t[1], {}, 1, 1);
          x = torch::batch_norm(x, t[2], t[3], torch::zeros({4}, t[2].options().requires_grad(false)),
                                torch::ones({4}, t[2].options().requires_grad(false)), true, 0.1, 1e-5,
                                false);
          return torch::relu(x).mean({2, 3});
        },
        precision);
    expect_same(
        {torch::randn({2, 5, 16}), torch::randn({48, 16}), torch::randn({48}), torch::randn({16})},
        [](auto& t) {
          const auto x = torch::layer_norm(t[0], {16}, t[3]);
          const auto parts = torch::linear(x, t[1], t[2]).view({2, 5, 3, 2, 8}).permute({2, 0, 3, 1, 4});
          const auto mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
          return torch::gelu(mixed.transpose(1, 2).reshape({2, 5, 16}));
        },
        precision);
    expect_same(
        {torch::randn({6, 4}), torch::tensor({0, 2, 4, 2})},
        [](auto& t) {
          const auto rows = torch::cat({t[0].index_select(0, t[1]), t[0].narrow(0, 1, 2) * 2}, 0);
          return torch::softmax(torch::nn::functional::normalize(rows).matmul(t[0].t()), 1);
        },
        precision);
  }
}

TEST_F(StandIn, ChangesMemoryInPlaceThroughViewsAndOutputs) {
  auto whole = torch::zeros({3, 4}, torch::TensorOptions(kDevice));
  auto row = whole[1];
  row.add_(2);
  whole.narrow(1, 0, 1).fill_(5);
  EXPECT_EQ(whole.sum().item<float>(), 3 * 5 + 3 * 2);
  EXPECT_TRUE(row.is_alias_of(whole));
  auto out = torch::empty({0}, torch::TensorOptions(kDevice));
  at::add_out(out, whole, whole);
  EXPECT_EQ(out.sizes(), whole.sizes());
  EXPECT_EQ(out.sum().item<float>(), 42);
  auto grown = torch::ones({2}, torch::TensorOptions(kDevice));
  auto other = grown.view({2, 1});
  grown.resize_({5}).fill_(7);
  EXPECT_EQ(other.sum().item<float>(), 14) << "they share memory still";
  auto moved = torch::ones({2}, torch::requires_grad().device(kDevice));
  moved.set_data(whole[2]);
  EXPECT_TRUE(moved.is_alias_of(whole));
  torch::nn::Linear network(3, 2);
  const auto weight = network->weight.detach().clone();
  network->to(kDevice);
  EXPECT_EQ(network->weight.device(), kDevice);
  EXPECT_TRUE(network->weight.cpu().equal(weight));
}

TEST_F(StandIn, StepsAnOptimizerAsCpusDo) {
  std::vector<torch::Tensor> ends;
  for (const torch::Device device : {torch::Device(torch::kCPU), kDevice}) {
    auto values = torch::linspace(-1, 1, 9).to(device), gradients = values * values;
    auto first = torch::zeros_like(values), second = torch::zeros_like(values);
    auto steps = torch::ones({}, torch::TensorOptions(device));
    at::_fused_adamw_({values}, {gradients}, {first}, {second}, {}, {steps}, 0.1, 0.9, 0.95, 0.05, 1e-8,
                      false, false);
    auto momentum = torch::zeros_like(values);
    at::_fused_sgd_({values}, {gradients}, {momentum}, 1e-4, 0.9, 0.1, 0, false, false, true);
    ends.push_back(values.cpu());
  }
  EXPECT_TRUE(ends[0].equal(ends[1]));
}

TEST_F(StandIn, RefusesTensorsOfOtherDevicesButTakesNumbersOfTheHost) {
  const auto here = torch::ones({3}, torch::TensorOptions(kDevice));
  EXPECT_THROW(here + torch::ones({3}), c10::Error);
  EXPECT_THROW(here + here.to(torch::Device(kType, 0)), c10::Error);
  EXPECT_THROW(torch::matmul(here, torch::ones({3})), c10::Error);
  EXPECT_THROW(torch::cat({here, torch::ones({3})}), c10::Error);
  EXPECT_THROW(torch::empty({2}, torch::TensorOptions(torch::Device(kType, kDevices))), c10::Error);
  EXPECT_EQ((here * torch::tensor(2.0)).sum().item<float>(), 6);
  EXPECT_EQ((here * 2).device(), kDevice);
}

TEST_F(StandIn, CountsCopiesValuesReadAndLaunches) {
  const auto pinned = torch::empty({16}, torch::TensorOptions().pinned_memory(true)).fill_(1);
  EXPECT_TRUE(pinned.is_pinned());
  EXPECT_TRUE(pinned.narrow(0, 3, 2).is_pinned());
  EXPECT_FALSE(torch::ones({2}).is_pinned());
  reset_counters();
  auto there = pinned.to(kDevice, /*non_blocking=*/true);
  EXPECT_EQ(counters().to_device.count, 1);
  EXPECT_EQ(counters().to_device.bytes, 64);
  EXPECT_EQ(counters().to_device.blocking, 0);
  there.copy_(torch::ones({16}), /*non_blocking=*/true);
  EXPECT_EQ(counters().to_device.blocking, 1) << "pageable memory is staged while the host waits";
  EXPECT_EQ(counters().to_device.pageable, 1);
  const auto back = there.cpu();
  EXPECT_EQ(counters().from_device.blocking, 1);
  EXPECT_EQ(counters().launches, 0);
  EXPECT_EQ(counters().value_reads, 0);
  const auto sum = there.view({4, 4}).t().sum();
  EXPECT_EQ(counters().launches, 1) << describe(counters());
  EXPECT_EQ(sum.item<float>(), 16);
  EXPECT_EQ(counters().value_reads, 1);
  EXPECT_EQ((there > 0).nonzero().size(0), 16);
  EXPECT_EQ(there.index({there > 0}).size(0), 16);
  EXPECT_EQ(counters().value_reads, 3) << describe(counters());
}

TEST_F(StandIn, AStreamComesToAnOperatorWhenItsGatesAreOpen) {
  const auto here = torch::ones({3}, torch::TensorOptions(kDevice));
  const c10::Stream stream(c10::Stream::DEFAULT, kDevice);
  const auto gate = std::make_shared<Gate>();
  hold(stream, {gate});
  std::atomic<bool> opened = false;
  std::jthread collective([&] {
    opened = true;
    gate->open();
  });
  const auto sum = here.sum();
  EXPECT_TRUE(opened);
  EXPECT_TRUE(pending(stream).empty());
}

TEST_F(StandIn, StretchesLastAsLongAsTheDeviceWaitsAndAreToldWhenItHasCome) {
  using std::chrono::milliseconds;
  StretchClock clock(kDevice);
  clock.begin();
  clock.end();
  EXPECT_LT(clock.take(), 0.005) << "nothing lies between";
  const auto gate = std::make_shared<Gate>();
  clock.begin();
  hold(c10::Stream(c10::Stream::DEFAULT, kDevice), {gate});
  clock.end();
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(clock.take(), 0) << "the device is within";
  gate->open();
  EXPECT_GE(clock.take(), 0.02);
  EXPECT_EQ(clock.take(), 0) << "told already";
  EXPECT_EQ(counters().waits, 0) << "of the host";
}

}  // namespace
}  // namespace facemae::rehearsal
