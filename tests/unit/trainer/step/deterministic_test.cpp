#include "trainer/step/deterministic.h"

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cstdlib>

#include "model/facemae/embedder.h"
#include "trainer/config/run_config.h"

namespace facemae {
namespace {

struct Deterministic : testing::Test {
  ~Deterministic() override {
    at::globalContext().setDeterministicAlgorithms(false, false);
    at::globalContext().setDeterministicCuDNN(false);
  }
};

TEST_F(Deterministic, LeavesCpusAsTheyAre) {
  EXPECT_FALSE(compute_deterministically(torch::kCPU));
  EXPECT_FALSE(at::globalContext().deterministicAlgorithms());
}

TEST_F(Deterministic, FixesTheOrderOfAdditionsOnGpus) {
  unsetenv("CUBLAS_WORKSPACE_CONFIG");
  EXPECT_TRUE(
      compute_deterministically(torch::Device(torch::kCUDA, 0)));  // settings alone: no GPU is touched
  EXPECT_TRUE(at::globalContext().deterministicAlgorithms());
  EXPECT_FALSE(at::globalContext().deterministicAlgorithmsWarnOnly());
  EXPECT_TRUE(at::globalContext().deterministicCuDNN());
  EXPECT_FALSE(at::globalContext().benchmarkCuDNN());
  EXPECT_STREQ(std::getenv("CUBLAS_WORKSPACE_CONFIG"), ":4096:8");
}

TEST_F(Deterministic, PoolsForTheEmbedderToTheSameMeans) {
  const auto embedder = random_embedder({.size = 16, .width = 4});
  const auto images = torch::rand({2, 3, 64, 64});
  const auto before = embedder->embed(images);
  at::globalContext().setDeterministicAlgorithms(true, false);
  EXPECT_TRUE(torch::allclose(embedder->embed(images), before, 1e-4, 1e-5));
}

TEST(DeterministicSwitch, IsPartOfWhatARunWasMadeWithAndWasOffBefore) {
  EXPECT_THAT(result_changes("batch = 8\n", "batch = 8\ndeterministic = no\n"), testing::IsEmpty());
  EXPECT_THAT(result_changes("batch = 8\n", "batch = 8\ndeterministic = yes\n"),
              testing::ElementsAre("deterministic: was unset, is yes"));
  PretrainConfig config;
  Options options("", "pretrain");
  declare(options, config);
  EXPECT_EQ(options.text().find("deterministic"), std::string::npos) << "as in runs from before it";
  CommonOptions common;
  const std::vector<std::string> words = {"--store", "s", "--run",          "r", "--batch", "8",
                                          "--steps", "7", "--deterministic"};
  options.parse(words, common);
  ASSERT_TRUE(options.finish());
  EXPECT_EQ(config.common.deterministic, true);
  EXPECT_NE(options.text().find("deterministic = yes"), std::string::npos);
  EXPECT_TRUE(options.may_change("profile-steps"));
}

}  // namespace
}  // namespace facemae
