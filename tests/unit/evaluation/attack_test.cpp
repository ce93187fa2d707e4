#include "evaluation/attack.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"
#include "evaluation/audit.h"
#include "evaluation/features.h"
#include "evaluation/intervals.h"
#include "evaluation/retrieval.h"

namespace facemae {
namespace {

using testing::Each;
using testing::ElementsAre;

torch::Tensor unit_rows(const torch::Tensor& rows) { return rows / rows.norm(2, 1, true); }

torch::Tensor at_angles(const std::vector<double>& degrees) {
  const auto angle = torch::tensor(degrees, torch::kFloat64) * (std::numbers::pi / 180);
  return torch::stack({angle.cos(), angle.sin()}, 1).to(torch::kFloat32);
}

/// `people` people with `images` pictures each; every picture is a probe and its own mate.
LinkageInput everyone(torch::Tensor probes, torch::Tensor gallery, std::int64_t people, std::int64_t images) {
  LinkageInput input{std::move(probes), std::move(gallery), {}, {}, {}};
  for (std::int64_t i = 0; i < people * images; ++i) {
    input.mate.push_back(i);
    input.probe_identity.push_back(i / images);
    input.gallery_identity.push_back(i / images);
  }
  return input;
}

torch::Tensor noise(std::int64_t rows, std::int64_t width, std::uint64_t seed) {
  torch::manual_seed(seed);
  return unit_rows(torch::randn({rows, width}));
}

TEST(Linkage, FindsEveryOriginalWhenTheReleaseIsTheOriginals) {
  const auto faces = noise(60, 32, 1);
  const LinkageResult result = measure_linkage(everyone(faces, faces, 20, 3), 7);
  EXPECT_EQ(result.same_image.rank1.value, 1);
  EXPECT_EQ(result.same_image.rank1.high, 1);
  EXPECT_NEAR(result.same_image.rank1.low, std::pow(0.025, 1.0 / 60), 1e-9);  // Clopper-Pearson at 60 of 60
  EXPECT_EQ(result.same_image.median_rank, 1);
  EXPECT_EQ(result.same_image.mean_average_precision, 1);
  EXPECT_NEAR(result.same_image.chance_rank1, 1.0 / 60, 1e-12);
  EXPECT_EQ(result.own_histogram.back(), 1);
}

TEST(Linkage, IsNearChanceOnFeaturesWithoutInformation) {
  const LinkageResult result = measure_linkage(everyone(noise(1000, 16, 1), noise(1000, 16, 2), 100, 10), 7);
  const auto holds_chance = [](const Figure& figure, double chance) {
    return figure.low <= chance && chance <= figure.high && figure.high - figure.low < 0.05;
  };
  EXPECT_NEAR(result.same_identity.chance_rank1, 9.0 / 999, 1e-12);
  EXPECT_TRUE(holds_chance(result.same_image.rank1, result.same_image.chance_rank1));
  EXPECT_TRUE(holds_chance(result.same_image.rank10, 10.0 / 1000));
  EXPECT_TRUE(holds_chance(result.same_identity.rank1, result.same_identity.chance_rank1));
  EXPECT_NEAR(result.same_image.median_rank, 500, 60);
  ASSERT_EQ(result.verification.size(), 3U);  // 990,000 false pairs allow even 1e-4
  for (const auto& at : result.verification) EXPECT_TRUE(holds_chance(at.tar, at.far)) << at.far;
}

TEST(Linkage, TakesTheProbesOwnOriginalOutOfTheSameIdentityGallery) {
  // Each probe is at its own original, and its only other picture is across the circle, behind everybody
  // else.
  const auto faces = at_angles({0, 180, 30, 210});
  const LinkageResult result = measure_linkage(everyone(faces, faces, 2, 2), 7);
  EXPECT_EQ(result.same_image.rank1.value, 1);
  EXPECT_EQ(result.same_identity.rank1.value, 0);
  EXPECT_EQ(result.same_identity.median_rank, 3);
  EXPECT_NEAR(result.same_identity.mean_average_precision, 1.0 / 3, 1e-9);
  EXPECT_EQ(result.same_identity.probes, 4);
}

TEST(Linkage, DoesNotCountPeopleWithOnePictureInTheSameIdentityQuestion) {
  LinkageInput input = everyone(noise(4, 8, 1), noise(4, 8, 1), 4, 1);
  const LinkageResult alone = measure_linkage(input, 7);
  EXPECT_EQ(alone.same_identity.probes, 0);
  EXPECT_TRUE(std::isnan(alone.same_identity.rank1.value));
  EXPECT_TRUE(alone.verification.empty());
  EXPECT_THAT(alone.mated_histogram, Each(0));
  input.probe_identity = input.gallery_identity = {0, 0, 1, 2};
  EXPECT_EQ(measure_linkage(input, 7).same_identity.probes, 2);
}

TEST(Linkage, GivesExactlyChanceWhenAllFeaturesAreEqual) {
  const auto same = unit_rows(torch::ones({12, 5}));
  const LinkageResult result = measure_linkage(everyone(same, same, 4, 3), 7);
  EXPECT_NEAR(result.same_image.rank1.value, 1.0 / 12, 1e-12);
  EXPECT_NEAR(result.same_image.rank5.value, 5.0 / 12, 1e-12);
  EXPECT_NEAR(result.same_image.median_rank, 6.5, 1e-12);
  EXPECT_NEAR(result.same_identity.rank1.value, 2.0 / 11, 1e-12);
  EXPECT_NEAR(result.same_identity.rank1.value, result.same_identity.chance_rank1, 1e-12);
}

TEST(Linkage, RanksAsAFullSortDoes) {
  const std::int64_t people = 12, images = 5, count = people * images;
  const auto gallery = noise(count, 6, 3), probes = unit_rows(gallery + 0.4 * noise(count, 6, 4));
  const LinkageInput input = everyone(probes, gallery, people, images);
  const Rankings rankings = rank_mates(input);
  const auto scores = torch::matmul(probes, gallery.t());
  for (std::int64_t i = 0; i < count; ++i) {
    const auto order = scores[i].argsort(0, true);
    std::int64_t place = 0, found = 0, own_rank = 0, first = 0;
    double precision = 0;
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t image = order[r].item<std::int64_t>();
      if (image == i) {
        own_rank = r + 1;
        continue;
      }
      ++place;
      if (image / images != i / images) continue;
      precision += static_cast<double>(++found) / static_cast<double>(place);
      if (first == 0) first = place;
    }
    const auto probe = static_cast<std::size_t>(i);
    EXPECT_EQ(rankings.same_image[probe].rank(), own_rank);
    EXPECT_EQ(rankings.same_identity[probe].rank(), first);
    EXPECT_NEAR(rankings.same_identity[probe].average_precision, precision / (images - 1), 1e-12);
  }
}

TEST(Linkage, DoesNotDependOnTheBlockSize) {
  const LinkageInput input = everyone(noise(90, 8, 5), noise(90, 8, 6), 30, 3);
  const Rankings whole = rank_mates(input), rows = rank_mates(input, 1);
  for (std::size_t i = 0; i < 90; ++i) {
    EXPECT_EQ(whole.same_image[i].rank(), rows.same_image[i].rank());
    EXPECT_EQ(whole.same_identity[i].rank(), rows.same_identity[i].rank());
  }
  EXPECT_EQ(std::accumulate(rows.others.begin(), rows.others.end(), 0ULL), 90ULL * 87);
  EXPECT_EQ(std::accumulate(rows.mated.begin(), rows.mated.end(), 0ULL), 90ULL * 2);
  EXPECT_EQ(std::accumulate(rows.own.begin(), rows.own.end(), 0ULL), 90ULL);
}

TEST(Linkage, CountsTrueAndFalseAcceptsAtTheThreshold) {
  // Person 0: five pictures at 0, 10, 20, 50 and 80 degrees, the probe is the first. 1,000 strangers: five
  // within 15 to 19 degrees, five at 45, the rest at 48. At FAR 1e-2 ten accepts are allowed, so the
  // threshold lies between 45 and 48 degrees: 10 and 20 are accepted, 50 and 80 are not.
  std::vector<double> degrees{0, 10, 20, 50, 80};
  for (int i = 0; i < 5; ++i) degrees.push_back(15 + i);
  degrees.insert(degrees.end(), 5, 45);
  degrees.insert(degrees.end(), 990, 48);
  LinkageInput input{at_angles({0}), at_angles(degrees), {0}, {0}, {0, 0, 0, 0, 0}};
  for (std::int64_t i = 0; i < 1000; ++i) input.gallery_identity.push_back(1 + i);
  const LinkageResult result = measure_linkage(input, 7);
  ASSERT_EQ(result.verification.size(), 1U) << "1e-3 would rest on a single false accept";
  EXPECT_EQ(result.verification[0].far, 1e-2);
  EXPECT_EQ(result.verification[0].tar.value, 0.5);
  EXPECT_LE(result.verification[0].threshold, std::cos(45 * std::numbers::pi / 180));
  EXPECT_GT(result.verification[0].threshold, std::cos(48 * std::numbers::pi / 180));
  EXPECT_EQ(result.same_identity.rank1.value, 1);
  EXPECT_EQ(result.same_image.rank1.value, 1);
}

TEST(Linkage, RefusesLinksThatDoNotFit) {
  LinkageInput input = everyone(noise(6, 4, 1), noise(6, 4, 1), 3, 2);
  input.mate[4] = 6;
  EXPECT_THROW(measure_linkage(input, 1), DataError);
  input.mate[4] = 0;  // another person's picture
  EXPECT_THROW(measure_linkage(input, 1), DataError);
  input.mate.pop_back();
  EXPECT_THROW(measure_linkage(input, 1), ConfigError);
}

void expect_interval(const Figure& figure, double low, double high) {
  EXPECT_NEAR(figure.low, low, 5e-5);
  EXPECT_NEAR(figure.high, high, 5e-5);
}

TEST(ClopperPearson, AgreesWithPublishedValues) {
  expect_interval(clopper_pearson(0, 100), 0, 0.03622);
  expect_interval(clopper_pearson(5, 10), 0.1871, 0.8129);
  expect_interval(clopper_pearson(100, 100), 1 - 0.03622, 1);
  expect_interval(clopper_pearson(1, 20), 0.00127, 0.24873);
  EXPECT_NEAR(clopper_pearson(0, 2000000).high, 1 - std::pow(0.025, 1 / 2e6), 1e-12);
  EXPECT_TRUE(std::isnan(clopper_pearson(0, 0).value));
  EXPECT_THROW(clopper_pearson(2, 1), ConfigError);
}

TEST(IncompleteBeta, EqualsItsClosedForms) {
  for (const double x : {0.01, 0.3, 0.5, 0.77, 0.999}) {
    EXPECT_NEAR(incomplete_beta(x, 1, 1), x, 1e-13);
    EXPECT_NEAR(incomplete_beta(x, 3, 1), x * x * x, 1e-13);
    EXPECT_NEAR(incomplete_beta(x, 1, 4), 1 - std::pow(1 - x, 4), 1e-13);
    EXPECT_NEAR(incomplete_beta(x, 0.5, 0.5), 2 / std::numbers::pi * std::asin(std::sqrt(x)), 1e-12);
  }
}

TEST(Bootstrap, ResamplesPeopleNotPictures) {
  // 50 people with 20 pictures each, found all or not at all: as wide as 50 trials, sqrt(0.25 / 50) * 1.96 =
  // 0.139.
  std::vector<double> hits, trials(1000, 1);
  std::vector<std::int64_t> person, alone;
  for (std::int64_t i = 0; i < 1000; ++i) {
    hits.push_back((i / 20) % 2 == 0 ? 1 : 0);
    person.push_back(i / 20);
    alone.push_back(i);
  }
  const Figure clustered = bootstrap_by_identity(hits, trials, person, 7, 0);
  EXPECT_EQ(clustered.value, 0.5);
  EXPECT_NEAR((clustered.high - clustered.low) / 2, 0.139, 0.015);
  const Figure independent = bootstrap_by_identity(hits, trials, alone, 7, 0);
  EXPECT_NEAR((independent.high - independent.low) / 2, 0.031, 0.004);
  for (std::size_t i = 0; i < 1000; ++i) hits[i] = static_cast<double>(i) / 1000;
  const Figure once = bootstrap_by_identity(hits, trials, person, 7, 0);
  EXPECT_EQ(bootstrap_by_identity(hits, trials, person, 7, 0).low, once.low);
  EXPECT_NE(bootstrap_by_identity(hits, trials, person, 8, 0).low, once.low);
  EXPECT_NE(bootstrap_by_identity(hits, trials, person, 7, 1).low, once.low);
}

TEST(PixelFeatures, IgnoreBrightnessAndContrast) {
  torch::manual_seed(1);
  const auto images = torch::rand({4, 3, 112, 112}) - 0.5;
  const auto features = pixel_features(images, 28);
  EXPECT_EQ(features.sizes(), (std::vector<std::int64_t>{4, 3 * 28 * 28}));
  EXPECT_TRUE(torch::allclose(features, pixel_features(0.6 * images + 0.2, 28), 1e-4, 1e-6));
  EXPECT_TRUE(torch::allclose(features.norm(2, 1), torch::ones(4), 1e-5, 1e-6));
  EXPECT_FALSE(torch::allclose(features[0], features[1], 1e-2, 1e-3));
  const auto bytes = ((images + 1) * 127.5).round().to(torch::kUInt8);
  EXPECT_GT((pixel_features(bytes, 28) * features).sum(1).min().item<float>(), 0.999);
  EXPECT_EQ(pixel_features(torch::zeros({2, 3, 16, 16}), 14).abs().max().item<float>(), 0)
      << "a flat picture";
}

TEST(DctFeatures, FindTheFrequencyOfACosine) {
  const auto at = torch::arange(64, torch::kFloat32) + 0.5;
  const auto wave = [&](int frequency) { return torch::cos(at * (std::numbers::pi * frequency / 64)); };
  // Down 2, across 3; the constant goes with the mean.
  const auto image = 0.1 + 0.5 * wave(2).unsqueeze(1) * wave(3).unsqueeze(0);
  const auto features = dct_features(image.expand({1, 3, 64, 64}), 8);
  ASSERT_EQ(features.size(1), 63);
  auto expected = torch::zeros({1, 63});
  expected[0][2 * 8 + 3 - 1] = 1;
  EXPECT_TRUE(torch::allclose(features, expected, 0, 1e-4)) << features;
  EXPECT_THROW(dct_features(torch::zeros({1, 3, 4, 4}), 8), ConfigError);
}

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
  ASSERT_EQ(open.size(), 8U);
  std::vector<std::string> names;
  names.reserve(open.size());
  for (const AttackReport& attack : open) names.push_back(attack.released.attacker + "|" + attack.control);
  EXPECT_THAT(names, ElementsAre("pixel 28x28|", "pixel 14x14|", "DCT 16x16|", "embedder mean colour|",
                                 "pixel 28x28|mosaic 8", "pixel 14x14|mosaic 8", "DCT 16x16|mosaic 8",
                                 "embedder mean colour|mosaic 8"));
  for (const AttackReport& attack : open) {
    if (attack.control.empty()) {
      EXPECT_EQ(attack.released.same_image.rank1.value, 1) << attack.released.attacker;
    }
  }
  EXPECT_EQ(open[0].ceiling.same_image.rank1.value, 1);
  EXPECT_TRUE(passes_controls(open[0], open));

  torch::manual_seed(9);
  const auto closed = audit(audit_of(torch::randint(0, 256, {72, 3, 56, 56}, torch::kUInt8), real), options);
  for (std::size_t a = 0; a < 3; ++a) {
    EXPECT_LT(closed[a].released.same_image.rank1.value, 0.1) << closed[a].released.attacker;
    EXPECT_EQ(closed[a].ceiling.same_image.rank1.value, 1) << closed[a].released.attacker;
    EXPECT_TRUE(passes_controls(closed[a], closed)) << closed[a].released.attacker;
  }
  ASSERT_NE(worst_attack(open), nullptr);
  EXPECT_EQ(worst_attack(open)->released.same_image.rank1.value, 1);
}

TEST(Audit, NamesTheAttackerThatCannotFindEvenRealPictures) {
  const auto real = pictures();
  AuditOptions options;
  options.embedders.push_back({"blind", [](const torch::Tensor& images) {
                                 return torch::ones({images.size(0), 4});
                               }});
  const auto attacks = audit(audit_of(real, real), options);
  EXPECT_FALSE(passes_controls(attacks[3], attacks));
  EXPECT_EQ(worst_attack(attacks)->released.attacker, "pixel 28x28");
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

TEST(QuickPixelAudit, SeesASwapOfPictures) {
  const auto real = pictures();
  std::vector<std::int64_t> mate(72), shifted(72);
  for (std::int64_t i = 0; i < 72; ++i) {
    mate[static_cast<std::size_t>(i)] = i;
    shifted[static_cast<std::size_t>(i)] = (i + 1) % 72;
  }
  EXPECT_EQ(quick_pixel_audit(mosaic(real, 4), real, mate).rank1.value, 1);
  EXPECT_NEAR(quick_pixel_audit(real, real, mate).chance, 1.0 / 72, 1e-12);
  EXPECT_EQ(quick_pixel_audit(real, real, shifted).rank1.value, 0);
  mate[3] = 72;
  EXPECT_THROW(quick_pixel_audit(real, real, mate), DataError);
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
