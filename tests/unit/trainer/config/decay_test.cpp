#include "trainer/config/decay.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"
#include "model/facemae/face_mae.h"
#include "model/recognition/recognition.h"
#include "trainer/apply/models.h"

namespace facemae {
namespace {

/// The names of the values that do not decay.
std::vector<std::string> spared(const torch::nn::Module& module, Decay decay) {
  std::vector<std::string> names;
  for (const auto& parameter : trained_parameters(module, decay))
    if (!parameter.decay) names.push_back(parameter.name);
  return names;
}

/// By the kind of the module that holds it.
std::vector<std::string> norms_biases_and_slopes(const torch::nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& item : module.named_parameters()) {
    const auto dot = item.key().rfind('.');
    if (dot == std::string::npos || !item.value().requires_grad()) continue;
    const auto owner = module.named_modules()[item.key().substr(0, dot)];
    const bool product =
        owner->as<torch::nn::Conv2d>() != nullptr || owner->as<torch::nn::Linear>() != nullptr;
    if (!product || item.key().ends_with("bias")) names.push_back(item.key());
  }
  return names;
}

TEST(Decay, OfRecognitionIsForEverythingUnlessOnlyWeightsAreWanted) {
  for (const char* name : {"iresnet-tiny", "mobilefacenet"}) {
    const auto network = make_network(name);
    EXPECT_THAT(spared(*network, Decay::All), testing::IsEmpty()) << name;
    EXPECT_THAT(spared(*network, Decay::Weights),
                testing::ElementsAreArray(norms_biases_and_slopes(*network)))
        << name;
  }
}

TEST(Decay, OfPretrainingIsForTokensTooUnlessOnlyWeightsAreWanted) {
  FaceMae model(face_mae_config("tiny", 112, 16));
  auto expected = norms_biases_and_slopes(*model);
  EXPECT_THAT(spared(*model, Decay::Matrices), testing::ElementsAreArray(expected)) << "as in MAE";
  expected.insert(expected.begin(), {"cls_token", "mask_token"});
  EXPECT_THAT(spared(*model, Decay::Weights), testing::UnorderedElementsAreArray(expected));
}

struct WithPositions : torch::nn::Module {
  WithPositions() {
    register_parameter("pos_embed", torch::zeros({1, 4, 8}));
    register_parameter("fixed", torch::zeros({2, 2}), /*requires_grad=*/false);
    register_module("embed", torch::nn::Linear(8, 8));
  }
};

TEST(Decay, OfWeightsSparesLearnedPositionsAndNamesAreBehindTheirPrefix) {
  const WithPositions module;
  EXPECT_THAT(spared(module, Decay::Weights), testing::UnorderedElementsAre("pos_embed", "embed.bias"));
  std::vector<std::string> names;
  for (const auto& parameter : trained_parameters(module, Decay::All, "one."))
    names.push_back(parameter.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("one.pos_embed", "one.embed.weight", "one.embed.bias"))
      << "what is fixed is not trained";
}

TEST(Decay, IsTheTasksOwnUnlessNamed) {
  EXPECT_EQ(decay_named("", Decay::Matrices), Decay::Matrices);
  EXPECT_EQ(decay_named("all", Decay::Matrices), Decay::All);
  EXPECT_EQ(decay_named("weights", Decay::All), Decay::Weights);
  EXPECT_THROW(decay_named("some", Decay::All), ConfigError);
}

}  // namespace
}  // namespace facemae
