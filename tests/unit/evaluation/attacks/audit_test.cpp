#include "evaluation/attacks/audit.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "evaluation/linkage/features.h"

namespace facemae {
namespace {

using testing::ElementsAre;

/// Smooth random pictures: 24 people, 3 pictures each, uint8.
torch::Tensor pictures() {
  torch::manual_seed(5);
  const auto small = torch::rand({72, 3, 14, 14});
  return torch::upsample_bilinear2d(small, {56, 56}, false).mul(255).to(torch::kUInt8);
}

AuditInput audit_of(torch::Tensor released, torch::Tensor real) {
  AuditInput input{std::move(released), std::move(real), {}, {}};
  for (std::int64_t i = 0; i < 72; ++i) {
    input.mate.push_back(i);
    input.real_identity.push_back(i / 3);
  }
  return input;
}

TEST(Audit, FindsEverythingInAReleaseOfTheOriginalsAndNothingInNoise) {
  const auto real = pictures();
  AuditOptions options;
  options.embedders.push_back({"mean colour", [](const torch::Tensor& images) {
                                 return images.mean({2, 3});
                               }});
  const auto open = audit(audit_of(real.flip({0}).flip({0}), real), options);
  ASSERT_EQ(open.size(), 10U);
  std::vector<std::string> names;
  names.reserve(open.size());
  for (const AttackReport& attack : open) names.push_back(attack.released.attacker + "|" + attack.control);
  EXPECT_THAT(names,
              ElementsAre("pixel 28x28|", "pixel 14x14|", "pixel 7x7|", "DCT 16x16|", "embedder mean colour|",
                          "pixel 28x28|mosaic 8", "pixel 14x14|mosaic 8", "pixel 7x7|mosaic 8",
                          "DCT 16x16|mosaic 8", "embedder mean colour|mosaic 8"));
  for (const AttackReport& attack : open) {
    if (attack.control.empty()) {
      EXPECT_EQ(attack.released.same_image.rank1.value, 1) << attack.released.attacker;
    }
  }
  EXPECT_EQ(open[0].ceiling.same_image.rank1.value, 1);
  EXPECT_TRUE(passes_controls(open[0], open));

  torch::manual_seed(9);
  const auto closed = audit(audit_of(torch::randint(0, 256, {72, 3, 56, 56}, torch::kUInt8), real), options);
  for (std::size_t a = 0; a < 4; ++a) {
    EXPECT_LT(closed[a].released.same_image.rank1.value, 0.1) << closed[a].released.attacker;
    EXPECT_EQ(closed[a].ceiling.same_image.rank1.value, 1) << closed[a].released.attacker;
    EXPECT_TRUE(passes_controls(closed[a], closed)) << closed[a].released.attacker;
  }
}

TEST(Audit, NamesTheAttackerThatCannotFindEvenRealPictures) {
  const auto real = pictures();
  AuditOptions options;
  options.embedders.push_back({"blind", [](const torch::Tensor& images) {
                                 return torch::ones({images.size(0), 4});
                               }});
  const auto attacks = audit(audit_of(real, real), options);
  EXPECT_EQ(attacks[4].released.attacker, "embedder blind");
  EXPECT_FALSE(passes_controls(attacks[4], attacks));
}

TEST(Audit, DrawsTheSameProbesFromTheSameSeedWithoutRepetition) {
  const auto real = pictures();
  AuditOptions options;
  options.max_probes = 20;
  const auto once = audit(audit_of(real, real), options), again = audit(audit_of(real, real), options);
  EXPECT_EQ(once[0].released.same_image.probes, 20);
  EXPECT_EQ(once[1].released.mated_histogram, again[1].released.mated_histogram);
  options.seed = 1;
  EXPECT_NE(audit(audit_of(real, real), options)[1].released.mated_histogram,
            once[1].released.mated_histogram);
}

TEST(Audit, RefusesAnEmbedderThatReturnsNoNumbers) {
  AuditOptions options;
  options.embedders.push_back({"broken", [](const torch::Tensor& images) {
                                 return torch::full({images.size(0), 4}, NAN);
                               }});
  EXPECT_THROW(audit(audit_of(pictures(), pictures()), options), ConfigError);
}

TEST(Audit, SeesASwapOfPicturesAndTwins) {
  const auto real = pictures();
  AuditInput swapped = audit_of(real, real);
  for (std::int64_t i = 0; i < 72; ++i) swapped.mate[static_cast<std::size_t>(i)] = (i + 1) % 72;
  for (const AttackReport& attack : audit(swapped, {}))
    if (attack.control.empty()) {
      EXPECT_EQ(attack.released.same_image.rank1.value, 0) << attack.released.attacker;
    }

  auto doubled = real.clone();
  doubled.slice(0, 36, 72).copy_(real.slice(0, 0, 36));  // every picture twice, of two people
  for (const AttackReport& attack : audit(audit_of(doubled, doubled), {}))
    if (attack.control.empty()) {
      EXPECT_EQ(attack.released.same_image.rank1.value, 1) << attack.released.attacker;
    }

  AuditInput beyond = audit_of(real, real);
  beyond.mate[3] = 72;
  EXPECT_THROW(audit(beyond, {}), DataError);
}

TEST(Controls, MosaicHasOneColourABlockAndPerturbationStaysMild) {
  const auto real = pictures();
  const auto blocks = mosaic(real, 8);
  EXPECT_EQ(blocks.scalar_type(), torch::kUInt8);
  EXPECT_TRUE(torch::equal(blocks.slice(2, 0, 56, 8), blocks.slice(2, 7, 56, 8)));
  EXPECT_NEAR(blocks[0][0][0][0].item<double>(),
              real[0][0].slice(0, 0, 8).slice(1, 0, 8).to(torch::kFloat32).mean().item<double>(), 0.51);
  const auto other = mildly_perturbed(real, 3);
  EXPECT_FALSE(torch::equal(other, real));
  EXPECT_TRUE(torch::equal(other, mildly_perturbed(real, 3)));
  EXPECT_LT((other.to(torch::kFloat32) - real.to(torch::kFloat32)).abs().max().item<float>(),
            12 + 8 + 12.75 + 1);
}

}  // namespace
}  // namespace facemae
