#include "evaluation/attacks/channel_attacker.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"
#include "evaluation/attacks/fixed_attackers.h"
#include "evaluation/campaign/campaign.h"
#include "tests/unit/evaluation/campaign/planted_release.h"

namespace facemae {
namespace {

using test::row_of;

TEST(LiftDistances, GivesUnitRowsWhoseProductsAreDistances) {
  torch::manual_seed(1);
  const auto u = 3 * torch::randn({40, 12}, torch::kFloat64), v = 2 + torch::randn({50, 12}, torch::kFloat64);
  const Lifted lifted = lift_distances(u, v);
  EXPECT_TRUE(torch::allclose(lifted.u.norm(2, 1), torch::ones({40}), 1e-5, 1e-5));
  EXPECT_TRUE(torch::allclose(lifted.v.norm(2, 1), torch::ones({50}), 1e-5, 1e-5));
  const auto products = torch::matmul(lifted.u, lifted.v.t()).to(torch::kFloat64).flatten();
  const auto distances = torch::cdist(u, v).square().flatten();
  // One straight line, falling, through all pairs.
  const auto x = distances - distances.mean(), y = products - products.mean();
  const double slope = ((x * y).sum() / x.square().sum()).item<double>();
  EXPECT_LT(slope, 0);
  EXPECT_LT((y - slope * x).abs().max().item<double>(), 1e-5 * y.abs().max().item<double>());
}

/// Negative, mirrored, moved: nothing that a fixed neighbour expects.
torch::Tensor channel(const torch::Tensor& photos) {
  torch::manual_seed(7);
  const auto moved = 255 - photos.to(torch::kFloat32).flip({3}).roll({9, 5}, {2, 3});
  return (0.6 * moved + 50 + 8 * torch::randn(photos.sizes())).clamp(0, 255).to(torch::kUInt8);
}

TEST(ChannelAttacker, FindsPhotosBehindALinearChannelThatNeighboursMiss) {
  const Target target = test::one_to_one(test::random_faces(40, 4), channel);
  std::vector<std::unique_ptr<Attacker>> attackers;
  for (FixedAttacker& fixed : pixel_attackers(28, 28))
    attackers.push_back(std::make_unique<FixedAttacker>(fixed));
  attackers.push_back(std::make_unique<ChannelAttacker>());
  const Findings found = attack_release(attackers, target, std::nullopt, {.pairs = {20}});
  for (const char* name : {"pixel 28x28", "pixel 14x14", "pixel 7x7", "DCT"})
    EXPECT_LT(row_of(found.measurements, name, Level::OwnPicture).found.value, 0.1) << name;
  const auto learnt = row_of(found.measurements, "closed-form", Level::OwnPicture);
  EXPECT_GT(learnt.found.value, 0.9);
  EXPECT_NEAR(learnt.chance, 1.0 / 80, 1e-12) << "of the tested half";
  EXPECT_EQ(learnt.attack, "A1");
  // Fewer pairs teach less.
  EXPECT_LT(row_of(found.measurements, "closed-form", Level::OwnPicture, "", "20").found.value,
            learnt.found.value);
}

TEST(ChannelAttacker, NeedsPairsBeforeItLooks) {
  const Target target = test::one_to_one(test::random_faces(2, 2), channel);
  ChannelAttacker attacker;
  EXPECT_THROW(attacker.look(target.released, target.real), ConfigError);
  EXPECT_THROW(attacker.fit(target.lesson()), ConfigError) << "four pairs";
}

}  // namespace
}  // namespace facemae
