#include "checkpoint/tensors/weights.h"

#include "checkpoint/tensors/pytorch.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;

class WeightsTest : public testing::Test {
 protected:
  void SetUp() override {
    CheckpointStore store(run(), control_, files_);
    ASSERT_TRUE(store.save(small_state(10, 20, 0, 20), 1));
    ASSERT_TRUE(store.save(small_state(20, 20, 0, 20), 1));
  }
  Path run() const { return folder_.path() / "run"; }

  TemporaryFolder folder_;
  AloneControl control_;
  QuickFiles files_;
  Quiet quiet_;
};

torch::Tensor tensor_of(const Weights& weights, const std::string& name) {
  for (const auto& [key, value] : weights.tensors)
    if (key == name) return value;
  return {};
}

TEST_F(WeightsTest, OfARunAreThoseOfItsNewestCheckpointWithoutMomentsAndCentres) {
  const Weights weights = read_weights(run());
  EXPECT_EQ(weights.tensors.size(), 5u);
  EXPECT_TRUE(torch::equal(tensor_of(weights, "weight"), small_state(20).replicated[0].value));
  EXPECT_FALSE(tensor_of(weights, "small").defined());
  EXPECT_EQ(config_value(weights.config, "batch"), "64");
  EXPECT_THAT(weights.origin, testing::HasSubstr("step 20"));
  EXPECT_EQ(weights.hash.size(), 32u);
  EXPECT_EQ(read_weights(run().string() + "/").hash, weights.hash);
}

TEST_F(WeightsTest, OfOneCheckpointAndOfAFileAreEqual) {
  const Weights old = read_weights(run() / "checkpoints/s000000010.a01");
  EXPECT_TRUE(torch::equal(tensor_of(old, "weight"), small_state(10).replicated[0].value));
  EXPECT_NE(old.hash, read_weights(run()).hash);
  const Path file = folder_.path() / "weights.safetensors";
  write_safetensors(real_files(), file, old.tensors, {{"note", "x"}});
  const Weights bare = read_weights(file);
  EXPECT_EQ(bare.hash, old.hash);
  EXPECT_EQ(bare.config, "");
  EXPECT_EQ(bare.metadata.at("note"), "x");
}

TEST_F(WeightsTest, OfAFileOfPyTorchAreTheSameWithoutWhatWrappersPutBeforeTheirNames) {
  const Weights run_weights = read_weights(run());
  NamedTensors behind;
  for (const auto& [name, value] : run_weights.tensors) behind.emplace_back("module.model." + name, value);
  const Path file = folder_.path() / "weights.pth";
  write_pytorch(real_files(), file, behind);
  EXPECT_EQ(read_weights(file).hash, run_weights.hash);
  behind.emplace_back("other", torch::zeros({1}));
  write_pytorch(real_files(), file, behind);
  EXPECT_TRUE(tensor_of(read_weights(file), "module.model.weight").defined());
}

TEST_F(WeightsTest, LeaveOutTheHeadOfALightningModule) {
  const Path file = folder_.path() / "adaface.ckpt";
  write_pytorch(
      real_files(), file,
      {{"head.kernel", torch::zeros({4, 10})}, {"model.a", torch::ones({2})}, {"head.t", torch::ones({1})}});
  const Weights weights = read_weights(file);
  ASSERT_EQ(weights.tensors.size(), 1u);
  EXPECT_EQ(weights.tensors[0].first, "a");
}

TEST_F(WeightsTest, OfAClippedFileOfPyTorchAreRefused) {
  const Path file = folder_.path() / "weights.pt";
  write_pytorch(real_files(), file, {{"a", torch::ones({200})}});
  overwrite(file, read_file(file).substr(0, 500));
  EXPECT_THROW(read_weights(file), DataError);
}

TEST_F(WeightsTest, LeaveClassCentresToThoseWhoAskForThem) {
  const auto centres = read_class_centres(run());
  EXPECT_TRUE(torch::equal(centres, small_state(20, 20, 0, 20).by_class[0].rows));
  EXPECT_TRUE(torch::equal(read_class_centres(run() / "checkpoints/s000000010.a01"),
                           small_state(10, 20, 0, 20).by_class[0].rows));
  EXPECT_THROW(read_class_centres(folder_.path()), ConfigError);
  CheckpointStore without(folder_.path() / "mae", control_, files_);
  ASSERT_TRUE(without.save(small_state(10), 1));
  EXPECT_THROW(read_class_centres(folder_.path() / "mae"), ConfigError);
}

TEST_F(WeightsTest, OfARunWithADamagedNewestCheckpointAreTheOnesBefore) {
  const Path file = run() / "checkpoints/s000000020.a01/r00000.safetensors";
  std::string bytes = read_file(file);
  for (std::size_t at = 4096; at < bytes.size(); ++at) bytes[at] = static_cast<char>(bytes[at] ^ 1);
  overwrite(file, bytes);
  EXPECT_THAT(read_weights(run()).origin, testing::HasSubstr("step 10"));
  EXPECT_THROW(read_weights(run() / "checkpoints/s000000020.a01"), CheckpointError);
}

TEST_F(WeightsTest, OfSomethingElseAreRefused) {
  EXPECT_THROW(read_weights(folder_.path()), ConfigError);
  EXPECT_THROW(read_weights(folder_.path() / "none"), ConfigError);
  std::filesystem::create_directories(folder_.path() / "young/checkpoints");
  EXPECT_THROW(read_weights(folder_.path() / "young"), ConfigError);
  overwrite(folder_.path() / "text", "no tensors here");
  EXPECT_THROW(read_weights(folder_.path() / "text"), DataError);
}

TEST(ConfigText, GivesValuesByKey) {
  const std::string text = "# batch = 1\nbatch = 64\n\n  rate =  0.5 \nname = a=b\n";
  EXPECT_EQ(config_value(text, "batch"), "64");
  EXPECT_EQ(config_value(text, "rate"), "0.5");
  EXPECT_EQ(config_value(text, "name"), "a=b");
  EXPECT_EQ(config_value(text, "none", "fallback"), "fallback");
}

}  // namespace
}  // namespace facemae
