#include "model/common/masking.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <array>

#include "core/random/keys.h"

namespace facemae {
namespace {

TEST(Masking, KeepsTheTruncatedShareAsMaeDoes) {
  EXPECT_EQ(kept_patches(196, 0.75), 49);
  EXPECT_EQ(kept_patches(49, 0.75), 12);  // 12.25
  EXPECT_EQ(kept_patches(64, 0.75), 16);
  EXPECT_EQ(kept_patches(10, 0.0), 10);
  EXPECT_EQ(kept_patches(10, 0.999), 1) << "an encoder without any patch sees nothing";
}

TEST(Masking, OrdersPatchesByTheirNoise) {
  const auto noise = torch::tensor({{0.9, 0.1, 0.5, 0.3}});
  const Masked mask = mask_from_noise(noise, 0.5);
  EXPECT_TRUE(torch::equal(mask.kept, torch::tensor({{1, 3}}, torch::kInt64)));
  EXPECT_TRUE(torch::equal(mask.restore, torch::tensor({{3, 0, 2, 1}}, torch::kInt64)));
  EXPECT_TRUE(torch::equal(mask.hidden, torch::tensor({{1.0F, 0.0F, 1.0F, 0.0F}})));
}

TEST(Masking, BreaksTiesInPatchOrder) {
  const Masked mask = mask_from_noise(torch::zeros({1, 6}), 0.5);
  EXPECT_TRUE(torch::equal(mask.kept, torch::tensor({{0, 1, 2}}, torch::kInt64)));
}

TEST(Masking, DependsOnTheKeyOfTheSampleOnly) {
  const std::array<std::uint64_t, 3> keys{11, 22, 11};
  const Masked mask = random_masks(keys, 196, 0.75, torch::kCPU);
  EXPECT_TRUE(torch::equal(mask.hidden[0], mask.hidden[2]));
  EXPECT_FALSE(torch::equal(mask.hidden[0], mask.hidden[1]));
  const std::array<std::uint64_t, 1> alone{22};
  const Masked other = random_masks(alone, 196, 0.75, torch::kCPU);
  EXPECT_TRUE(torch::equal(mask.kept[1], other.kept[0])) << "a neighbour in the batch changed a mask";
}

TEST(Masking, HidesEveryPatchEquallyOften) {
  std::vector<std::uint64_t> keys(4000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = key_of(5, Purpose::Mask, i);
  const auto share = random_masks(keys, 64, 0.75, torch::kCPU).hidden.mean(0);
  EXPECT_NEAR(share.min().item<float>(), 0.75, 0.035);  // five standard deviations
  EXPECT_NEAR(share.max().item<float>(), 0.75, 0.035);
}

TEST(Masking, MakesConsistentParts) {
  const std::array<std::uint64_t, 2> keys{1, 2};
  const Masked mask = random_masks(keys, 49, 0.75, torch::kCPU);
  EXPECT_EQ(mask.kept.sizes(), (std::vector<std::int64_t>{2, 12}));
  EXPECT_EQ(mask.hidden.sum().item<float>(), 2 * 37);
  EXPECT_EQ(mask.hidden.gather(1, mask.kept).sum().item<float>(), 0);
  const auto positions = mask.restore.gather(1, mask.kept);
  EXPECT_TRUE(torch::equal(positions, torch::arange(12).expand({2, 12})));
}

TEST(Masking, ReordersTokensAndTheirGradientsLikeAGather) {
  const std::array<std::uint64_t, 2> keys{1, 2};
  const auto order = random_masks(keys, 9, 0.5, torch::kCPU).restore;
  torch::manual_seed(1);
  const auto tokens = torch::randn({2, 9, 4}).requires_grad_(), cotangent = torch::randn({2, 9, 4});
  const auto by_gather = tokens.gather(1, order.unsqueeze(2).expand({2, 9, 4}));
  const auto found = reordered(tokens, order);
  EXPECT_TRUE(torch::equal(found, by_gather));
  EXPECT_TRUE(torch::equal(torch::autograd::grad({found}, {tokens}, {cotangent})[0],
                           torch::autograd::grad({by_gather}, {tokens}, {cotangent})[0]));
}

TEST(Masking, TakesNoKeysAtAll) {
  const Masked mask = random_masks({}, 49, 0.75, torch::kCPU);
  EXPECT_EQ(mask.kept.sizes(), (std::vector<std::int64_t>{0, 12}));
  EXPECT_EQ(mask.restore.sizes(), (std::vector<std::int64_t>{0, 49}));
}

}  // namespace
}  // namespace facemae
