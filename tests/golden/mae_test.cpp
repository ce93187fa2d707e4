// The official MAE's numbers (facebookresearch/mae): same weights, images and noise must give the same
// latent, prediction, losses and gradients.
#include <gmock/gmock.h>
#include <torch/torch.h>

#include <map>

#include "checkpoint/tensors/safetensors.h"
#include "model/common/state.h"
#include "model/facemae/face_mae.h"
#include "model/facemae/losses.h"
#include "model/facemae/positions.h"
#include "tests/golden/numbers.h"
#include "tests/relative.h"

namespace facemae {
namespace {

constexpr double kBar = 1e-5;

struct Golden {
  std::map<std::string, torch::Tensor> tensors;
  std::map<std::string, std::string> metadata;
  NamedWeights weights;
  FaceMaeConfig config;
  double ratio = 0;
};

double length(const torch::Tensor& x) { return x.to(torch::kFloat64).norm().item<double>(); }

class MaeGolden : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    for (auto& [name, tensor] :
         read_safetensors(golden_file(std::string(GetParam()) + ".safetensors"), &golden_.metadata)) {
      if (name.starts_with("weight.")) golden_.weights.emplace_back(name.substr(7), tensor);
      golden_.tensors[name] = tensor;
    }
    const auto& m = golden_.metadata;
    golden_.config =
        config_from_weights(golden_.weights, std::stoi(m.at("heads")), std::stoi(m.at("dheads")));
    golden_.ratio = std::stod(m.at("ratio"));
  }

  torch::Tensor golden(const std::string& name) const { return golden_.tensors.at(name); }
  FaceMae model(bool recompute) const {
    FaceMaeConfig config = golden_.config;
    config.activation_checkpointing = recompute;
    FaceMae made(config);
    load_state(*made, golden_.weights);
    return made;
  }
  Masked mask() const { return mask_from_noise(golden("noise"), golden_.ratio); }
  torch::Tensor loss(FaceMae mae, const torch::Tensor& target) const {
    const auto predicted = mae->decode(mae->encode(golden("image"), mask()), mask());
    const double count =
        reconstruction_count(Reconstruction::Hidden, target.size(0), target.size(1), golden_.ratio);
    return reconstruction_share(predicted, target, mask(), Reconstruction::Hidden, count);
  }

  Golden golden_;
};

TEST_P(MaeGolden, ReadsTheConfigurationOffTheShapes) {
  const auto& m = golden_.metadata;
  const FaceMaeConfig& c = golden_.config;
  EXPECT_EQ(c.image, std::stoi(m.at("img")));
  EXPECT_EQ(c.patch, std::stoi(m.at("patch")));
  EXPECT_EQ(c.width, std::stoi(m.at("dim")));
  EXPECT_EQ(c.depth, std::stoi(m.at("depth")));
  EXPECT_EQ(c.decoder_width, std::stoi(m.at("ddim")));
  EXPECT_EQ(c.decoder_depth, std::stoi(m.at("ddepth")));
}

TEST_P(MaeGolden, HasTheOfficialKeysAndPositionTables) {
  const FaceMae fresh(golden_.config);
  std::map<std::string, torch::Tensor> own;
  for (const auto& [name, tensor] : state_of(*fresh)) own[name] = tensor;
  EXPECT_EQ(own.size(), golden_.weights.size());
  for (const auto& [name, tensor] : golden_.weights) EXPECT_EQ(own.at(name).sizes(), tensor.sizes()) << name;
  EXPECT_THAT(own.at("pos_embed"), test::IsWithin(1e-6, golden("weight.pos_embed")));
  EXPECT_THAT(own.at("decoder_pos_embed"), test::IsWithin(1e-6, golden("weight.decoder_pos_embed")));
}

TEST_P(MaeGolden, HidesTheSamePatches) { EXPECT_TRUE(torch::equal(mask().hidden, golden("mask"))); }

TEST_P(MaeGolden, CutsTheSamePatchesAndPutsThemBack) {
  auto mae = model(false);
  EXPECT_TRUE(torch::equal(mae->patchify(golden("image")), golden("target")));
  EXPECT_TRUE(torch::equal(mae->unpatchify(golden("target")), golden("image")));
}

TEST_P(MaeGolden, GivesTheSameLatentAndPrediction) {
  auto mae = model(false);
  const auto latent = mae->encode(golden("image"), mask());
  const double latent_gap = test::relative_distance(latent, golden("latent"));
  const double prediction_gap = test::relative_distance(mae->decode(latent, mask()), golden("pred"));
  RecordProperty("latent_gap", std::to_string(latent_gap));
  std::printf("%s: latent %.2e, prediction %.2e\n", GetParam(), latent_gap, prediction_gap);
  EXPECT_LT(latent_gap, kBar);
  EXPECT_LT(prediction_gap, kBar);
}

TEST_P(MaeGolden, GivesTheSameLosses) {
  auto mae = model(false);
  EXPECT_THAT(loss(mae, golden("target")).reshape({1}), test::IsWithin(kBar, golden("loss.plain")));
  EXPECT_THAT(loss(mae, normalise_patches(golden("target"))).reshape({1}),
              test::IsWithin(kBar, golden("loss.norm")));
}

TEST_P(MaeGolden, GivesTheSameGradientsWithAndWithoutRecomputing) {
  double whole = 0;
  for (const auto& [name, tensor] : golden_.tensors)
    if (name.starts_with("grad.")) whole += length(tensor) * length(tensor);
  whole = std::sqrt(whole);
  for (const bool recompute : {false, true}) {
    auto mae = model(recompute);
    loss(mae, golden("target")).backward();
    double worst = 0;
    int compared = 0;
    for (const auto& item : mae->named_parameters()) {
      if (!item.value().requires_grad()) continue;
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      const double gap = test::relative_distance(item.value().grad(), golden("grad." + item.key()), whole);
      EXPECT_LT(gap, kBar) << item.key() << (recompute ? " recomputed" : "");
      worst = std::max(worst, gap);
      ++compared;
    }
    std::printf("%s: worst gradient %.2e of %d\n", GetParam(), worst, compared);
    EXPECT_EQ(static_cast<std::size_t>(compared) + 2, golden_.weights.size())
        << "all but the two tables are trained";
  }
}

INSTANTIATE_TEST_SUITE_P(Files, MaeGolden, testing::Values("mae_112_p8", "mae_224_p16"),
                         [](const auto& file) { return std::string(file.param); });

}  // namespace
}  // namespace facemae
