// Against numbers that the public arcface_torch computed: state-dict keys, embeddings,
// gradients and margin losses.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <sstream>

#include "checkpoint/tensors/safetensors.h"
#include "cluster/tensors/alone.h"
#include "core/random/keys.h"
#include "model/common/state.h"
#include "model/recognition/recognition.h"
#include "model/softmax/margin_softmax.h"
#include "tests/golden/numbers.h"
#include "tests/relative.h"

namespace facemae {
namespace {

using Weights = std::vector<std::pair<std::string, torch::Tensor>>;

torch::Tensor tensor_of(const Weights& tensors, const std::string& name) {
  for (const auto& [key, tensor] : tensors)
    if (key == name) return tensor;
  throw std::runtime_error("no golden tensor is called " + name);
}

/// Values in [-1, 1) of the rule that stands in for weight files: the i-th of stream j.
class Rule {
 public:
  explicit Rule(std::uint64_t stream) : stream_(stream) {}
  double operator()(std::uint64_t i) const {
    const std::uint64_t z = mix(i + (stream_ << 32) + 0x9E3779B97F4A7C15ULL);
    return 2 * (static_cast<double>(z >> 11) * 0x1.0p-53) - 1;
  }
  torch::Tensor tensor(at::IntArrayRef shape, double offset, double scale) const {
    auto values = torch::empty(shape, torch::kFloat32);
    auto* out = values.data_ptr<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i)
      out[i] = static_cast<float>(offset + scale * (*this)(static_cast<std::uint64_t>(i)));
    return values;
  }

 private:
  std::uint64_t stream_;
};

torch::Tensor weight_by_rule(const Rule& rule, const std::string& name, const torch::Tensor& like) {
  const auto shape = like.sizes();
  if (name.ends_with("num_batches_tracked")) return torch::zeros_like(like);
  if (name.ends_with("running_var")) return rule.tensor(shape, 1, 0.5);
  if (like.dim() > 1)
    return rule.tensor(
        shape, 0, std::sqrt(1.5 / (static_cast<double>(like.numel()) / static_cast<double>(like.size(0)))));
  if (name.ends_with("bias") || name.ends_with("running_mean")) return rule.tensor(shape, 0, 0.1);
  return rule.tensor(shape, 1, 0.2);
}

void fill_by_rule(RecognitionNetwork& network) {
  auto state = state_of(network);
  // PReLU weights have a rule of their own; only the module tells them from a norm's.
  std::vector<std::string> slopes;
  for (const auto& item : network.named_modules())
    if (item.value()->as<torch::nn::PReLU>() != nullptr) slopes.push_back(item.key() + ".weight");
  std::sort(state.begin(), state.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t j = 0; j < state.size(); ++j) {
    auto& [name, tensor] = state[j];
    const bool slope = std::find(slopes.begin(), slopes.end(), name) != slopes.end();
    tensor = slope ? Rule(j).tensor(tensor.sizes(), 0.25, 0.1) : weight_by_rule(Rule(j), name, tensor);
  }
  load_state(network, state);
}

std::string shape_text(const torch::Tensor& tensor) {
  std::ostringstream text;
  text << "[";
  for (std::int64_t d = 0; d < tensor.dim(); ++d) text << (d > 0 ? ", " : "") << tensor.size(d);
  text << "]";
  return text.str();
}

struct Pair {
  std::string ours, golden;
};
class Insightface : public testing::TestWithParam<Pair> {};

TEST_P(Insightface, HasTheOfficialKeysAndShapesInTheOfficialOrder) {
  const auto file = "keys_" + GetParam().golden + ".txt";
  std::ifstream lines(golden_file(file));
  const auto state = state_of(*make_network(GetParam().ours));
  std::size_t i = 0;
  for (std::string line; std::getline(lines, line); ++i) {
    ASSERT_LT(i, state.size());
    EXPECT_EQ(state[i].first + " " + shape_text(state[i].second), line);
  }
  EXPECT_EQ(i, state.size());
  EXPECT_GT(i, 100U);
}

TEST_P(Insightface, ComputesTheOfficialEmbeddingsAndInputGradients) {
  const auto numbers = read_safetensors(golden_file("insightface_networks.safetensors"));
  const auto network = make_network(GetParam().ours);
  fill_by_rule(*network);
  network->eval();
  for (auto& parameter : network->parameters()) parameter.set_requires_grad(false);
  auto image = Rule(1'000'000).tensor({2, 3, 112, 112}, 0, 1).requires_grad_();
  const auto embedding = network->forward(image);
  (embedding * Rule(2'000'000).tensor({2, 512}, 0, 1)).sum().backward();

  const auto& name = GetParam().golden;
  const double of_embedding = test::relative_distance(embedding, tensor_of(numbers, name + ".embedding"));
  const double of_norm = test::relative_distance(image.grad().norm().view({1}),
                                                 tensor_of(numbers, name + ".input_gradient_norm"));
  const double of_head = test::relative_distance(image.grad().flatten().narrow(0, 0, 256),
                                                 tensor_of(numbers, name + ".input_gradient_head"));
  EXPECT_LT(of_embedding, 1e-4);
  EXPECT_LT(of_norm, 1e-4);
  EXPECT_LT(of_head, 1e-4);
  std::printf("%s: relative errors of embedding %.1e, input gradient's norm %.1e, its head %.1e\n",
              name.c_str(), of_embedding, of_norm, of_head);
}

INSTANTIATE_TEST_SUITE_P(Networks, Insightface,
                         testing::Values(Pair{"iresnet18", "r18"}, Pair{"iresnet50", "r50"},
                                         Pair{"iresnet100", "r100"}, Pair{"mobilefacenet", "mbf"},
                                         Pair{"mobilefacenet-large", "mbf_large"}, Pair{"vit-t", "vit_t"}),
                         [](const auto& tested) { return tested.param.golden; });

struct MarginCase {
  std::string golden;
  Margin margin;
  torch::ScalarType type;
  double tolerance;
};
class InsightfaceMargin : public testing::TestWithParam<MarginCase> {};

TEST_P(InsightfaceMargin, HasTheOfficialLossAndGradients) {
  const std::string file = "insightface_losses_and_protocol.safetensors";
  const auto& [name, margin, type, tolerance] = GetParam();
  const auto numbers = read_safetensors(golden_file(file));
  const auto embeddings = tensor_of(numbers, "embeddings").to(type);
  const auto labels = tensor_of(numbers, "labels");
  AloneCommunicator alone;
  ClassCentres centres(20, 4, 0, alone, torch::kCPU, type);
  centres.weight() = tensor_of(numbers, "centres").to(type).detach().clone();
  const SoftmaxConfig config{.margin = margin, .class_filter = {}};
  MarginState state(margin, torch::kCPU, type);
  const auto coupled = [&](std::int64_t first, std::int64_t rows) {
    return margin_softmax(centres, state, config, embeddings.narrow(0, first, rows),
                          labels.narrow(0, first, rows), {}, std::array{rows}, static_cast<double>(rows));
  };
  const auto result = coupled(0, labels.size(0));
  const auto of_centres = centres.gradient().clone();
  const auto golden = [&, &key = name](const std::string& what) {
    return tensor_of(numbers, key + "." + what);
  };
  auto loss = result.loss;
  if (name.ends_with("_upstream")) {
    // Upstream reports each row's loss at most as -log 1e-30 (the gradient is untouched);
    // ours is never clamped.
    loss = torch::zeros({}, type);
    for (std::int64_t row = 0; row < labels.size(0); ++row)
      loss += coupled(row, 1).loss.clamp_max(-std::log(1e-30));
    loss /= labels.size(0);
    EXPECT_GT(result.loss.item<double>(), loss.item<double>());
  }
  EXPECT_THAT(loss.view({1}), test::IsWithin(tolerance, golden("loss")));
  EXPECT_THAT(result.cotangent, test::IsWithin(tolerance, golden("grad_embeddings")));
  EXPECT_THAT(of_centres, test::IsWithin(tolerance, golden("grad_centres")));
}

INSTANTIATE_TEST_SUITE_P(
    Margins, InsightfaceMargin,
    testing::Values(MarginCase{"arcface_exact", {"arcface", 0.5, 64, false}, torch::kFloat64, 1e-10},
                    MarginCase{"cosface_exact", {"cosface", 0.4, 64, false}, torch::kFloat64, 1e-10},
                    MarginCase{"arcface_upstream", {"arcface", 0.5, 64, true}, torch::kFloat32, 1e-5},
                    MarginCase{"cosface_upstream", {"cosface", 0.4, 64, false}, torch::kFloat32, 1e-5}),
    [](const auto& tested) { return tested.param.golden; });

}  // namespace
}  // namespace facemae
