#include "trainer/step/gradient_buckets.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/tensors/alone.h"
#include "core/error.h"

namespace facemae {
namespace {

/// Notes the sizes of what is reduced, in order.
class Noting final : public Communicator {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  torch::Device device() const noexcept override { return torch::kCPU; }
  Work all_reduce(torch::Tensor tensor, Reduce) override {
    sizes.push_back(tensor.numel());
    return {};
  }
  Work all_gather(torch::Tensor, torch::Tensor) override { return {}; }
  Work reduce_scatter(torch::Tensor, torch::Tensor, Reduce) override { return {}; }
  Work broadcast(torch::Tensor, int) override { return {}; }
  void abort() noexcept override {}
  std::vector<std::int64_t> sizes;
};

torch::nn::Sequential small_network() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(8, 16), torch::nn::GELU(), torch::nn::Linear(16, 16),
                               torch::nn::GELU(), torch::nn::Linear(16, 4));
}

std::vector<Parameter> parameters_of(torch::nn::Sequential& network) {
  std::vector<Parameter> parameters;
  for (const auto& item : network->named_parameters())
    parameters.push_back({item.key(), item.value(), item.value().dim() > 1});
  return parameters;
}

TEST(GradientBuckets, HoldTheGradientsOfPlainBackwardAlsoAfterTwoMicroBatches) {
  auto plain = small_network(), bucketed = small_network();
  AloneCommunicator alone;
  GradientBuckets buckets(parameters_of(bucketed), alone, {.bytes = 600, .first_bytes = 100});
  const auto x = torch::randn({6, 8});
  for (int step = 0; step < 2; ++step) {
    plain->zero_grad();
    plain->forward(x).pow(2).sum().backward();
    buckets.begin();
    bucketed->forward(x.narrow(0, 0, 3)).pow(2).sum().backward();
    buckets.reduce_next();
    bucketed->forward(x.narrow(0, 3, 3)).pow(2).sum().backward();
    buckets.finish();
    const auto want = plain->parameters(), got = bucketed->parameters();
    double square = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(torch::allclose(got[i].grad(), want[i].grad(), 1e-5, 1e-6));
      square += want[i].grad().pow(2).sum().item<double>();
    }
    EXPECT_NEAR(buckets.norm().item<double>(), std::sqrt(square), 1e-4 * std::sqrt(square));
  }
}

TEST(GradientBuckets, KeepTheMemoryFormatOfAParameter) {
  AloneCommunicator alone;
  torch::nn::Conv2d conv(3, 4, 3);
  const auto before = conv->weight.detach().clone();
  conv->weight.set_data(before.contiguous(torch::MemoryFormat::ChannelsLast));
  GradientBuckets buckets({{"bias", conv->bias}, {"weight", conv->weight}}, alone);
  for (const auto& tensor : {conv->weight, conv->weight.grad()})
    EXPECT_TRUE(tensor.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(torch::equal(conv->weight, before));
  const auto& bucket = buckets.buckets().front();
  EXPECT_TRUE(torch::equal(Bucket::view(bucket.values, bucket.slots.front()), before))
      << bucket.slots.front().name;
}

TEST(GradientBuckets, AreReducedOncePerStepInBackwardOrder) {
  auto network = small_network();
  Noting ranks;
  GradientBuckets buckets(parameters_of(network), ranks, {.bytes = 1024, .first_bytes = 64});
  std::vector<std::int64_t> layout;
  std::int64_t values = 0;
  for (const auto& bucket : buckets.buckets()) layout.push_back(bucket.values.numel());
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) values += slot.value.numel();
  EXPECT_EQ(values, 8 * 16 + 16 + 16 * 16 + 16 + 16 * 4 + 4);
  EXPECT_GT(layout.size(), 2u);
  const auto x = torch::randn({3, 8});
  buckets.begin();
  network->forward(x).sum().backward();  // a micro-batch that is not the last
  EXPECT_TRUE(ranks.sizes.empty());
  buckets.reduce_next();
  network->forward(x).sum().backward();
  buckets.finish();
  EXPECT_EQ(ranks.sizes, layout);
}

TEST(GradientBuckets, LieAtMultiplesOf64BytesExceptInRunsOfTheFirstVersion) {
  for (const bool aligned : {true, false}) {
    auto network = small_network();
    auto parameters = parameters_of(network);
    parameters.push_back({"odd", torch::ones({7, 21}, torch::requires_grad()), true});
    parameters.push_back({"even", torch::ones({16}, torch::requires_grad()), true});
    AloneCommunicator alone;
    GradientBuckets buckets(parameters, alone, {.aligned = aligned});
    bool everywhere = true;
    std::int64_t held = 0;
    for (const auto& bucket : buckets.buckets()) {
      held += bucket.values.numel();
      for (const auto& slot : bucket.slots)
        for (const auto& view : {slot.value.detach(), slot.value.grad(), Bucket::view(bucket.values, slot)})
          everywhere = everywhere && reinterpret_cast<std::uintptr_t>(view.data_ptr()) % 64 == 0;
    }
    EXPECT_EQ(everywhere, aligned);
    std::int64_t values = 0;
    for (const auto& parameter : parameters) {
      values += parameter.value.numel();
      EXPECT_EQ(parameter.value.grad().abs().sum().item<float>(), 0);
    }
    EXPECT_EQ(held > values, aligned);
  }
}

TEST(GradientBuckets, KeepDecayedAndUndecayedParametersApart) {
  auto network = small_network();
  AloneCommunicator alone;
  GradientBuckets buckets(parameters_of(network), alone);
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) EXPECT_EQ(bucket.decay, slot.value.dim() > 1) << slot.name;
}

TEST(GradientBuckets, NameTheParameterThatGotNoGradient) {
  auto network = small_network();
  auto parameters = parameters_of(network);
  parameters.insert(parameters.begin(), {"never_used", torch::zeros({3}).requires_grad_(true), true});
  AloneCommunicator alone;
  GradientBuckets buckets(parameters, alone);
  buckets.begin();
  buckets.reduce_next();
  network->forward(torch::randn({2, 8})).sum().backward();
  try {
    buckets.finish();
    FAIL() << "an unused parameter went unnoticed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("never_used"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace facemae
