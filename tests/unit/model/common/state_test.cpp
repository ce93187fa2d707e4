#include "model/common/state.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"

namespace facemae {
namespace {

struct Inner : torch::nn::Module {
  Inner() { register_module("norm", torch::nn::BatchNorm1d(2)); }
};
struct Outer : torch::nn::Module {
  Outer() {
    inner = register_module("inner", std::make_shared<Inner>());
    token = register_parameter("token", torch::ones({1, 3}));
  }
  std::shared_ptr<Inner> inner;
  torch::Tensor token;
};

TEST(State, NamesAModulesOwnTensorsBeforeThoseOfItsChildren) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state_of(Outer())) names.push_back(name);
  EXPECT_THAT(names,
              testing::ElementsAre("token", "inner.norm.weight", "inner.norm.bias", "inner.norm.running_mean",
                                   "inner.norm.running_var", "inner.norm.num_batches_tracked"));
}

TEST(State, RefersToTheModulesOwnTensors) {
  Outer module;
  torch::NoGradGuard no_grad;
  state_of(module)[0].second.fill_(7);
  EXPECT_EQ(module.token.sum().item<float>(), 21);
}

TEST(State, GoesFromOneModuleToAnother) {
  Outer from, to;
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_of(from)) tensor.add_(3);
  load_state(to, state_of(from));
  const auto a = state_of(from), b = state_of(to);
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(torch::equal(a[i].second, b[i].second)) << a[i].first;
}

TEST(State, NamesEveryKeyThatDoesNotFitAndChangesNothing) {
  Outer module;
  auto weights = state_of(module);
  for (auto& [name, tensor] : weights) tensor = tensor.detach().clone().fill_(5);
  weights[0].second = torch::zeros({3});
  weights[1].first = "head.weight";
  try {
    load_state(module, weights);
    FAIL() << "loaded weights that do not fit";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("token is [3], the model's is [1, 3]"));
    EXPECT_THAT(error.what(), testing::HasSubstr("head.weight is not of this model"));
    EXPECT_THAT(error.what(), testing::HasSubstr("inner.norm.weight [2] is missing"));
  }
  EXPECT_EQ(module.token.sum().item<float>(), 3);
  EXPECT_EQ(module.inner->named_parameters()["norm.bias"].sum().item<float>(), 0);
}

TEST(State, RefusesAKeyThatIsGivenTwice) {
  Outer module;
  auto weights = state_of(module);
  weights.push_back(weights[0]);
  EXPECT_THROW(load_state(module, weights), ConfigError);
}

}  // namespace
}  // namespace facemae
