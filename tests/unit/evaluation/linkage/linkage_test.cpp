#include "evaluation/linkage/linkage.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"
#include "evaluation/linkage/retrieval.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

using testing::Each;

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
  const LinkageResult result = measure_linkage(everyone(faces, faces, 20, 3));
  EXPECT_EQ(result.same_image.rank1.value, 1);
  EXPECT_EQ(result.same_image.rank1.high, 1);
  EXPECT_NEAR(result.same_image.rank1.low, std::pow(0.025, 1.0 / 20), 1e-9);  // Clopper-Pearson at 20 of 20
  EXPECT_EQ(result.same_image.median_rank, 1);
  EXPECT_EQ(result.same_image.mean_average_precision, 1);
  EXPECT_NEAR(result.same_image.chance_rank1, 1.0 / 60, 1e-12);
  EXPECT_EQ(result.own_histogram.back(), 1);
}

TEST(Linkage, IsNearChanceOnFeaturesWithoutInformation) {
  const LinkageResult result = measure_linkage(everyone(noise(1000, 16, 1), noise(1000, 16, 2), 100, 10));
  const auto holds_chance = [](const Figure& figure, double chance) {
    return figure.low <= chance && chance <= figure.high && figure.high - figure.low < 0.06;
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
  // Each probe is at its own original, and its only other picture is across the circle,
  // behind everybody else.
  const auto faces = at_angles({0, 180, 30, 210});
  const LinkageResult result = measure_linkage(everyone(faces, faces, 2, 2));
  EXPECT_EQ(result.same_image.rank1.value, 1);
  EXPECT_EQ(result.same_identity.rank1.value, 0);
  EXPECT_EQ(result.same_identity.median_rank, 3);
  EXPECT_NEAR(result.same_identity.mean_average_precision, 1.0 / 3, 1e-9);
  EXPECT_EQ(result.same_identity.probes, 4);
}

TEST(Linkage, DoesNotCountPeopleWithOnePictureInTheSameIdentityQuestion) {
  LinkageInput input = everyone(noise(4, 8, 1), noise(4, 8, 1), 4, 1);
  const LinkageResult alone = measure_linkage(input);
  EXPECT_EQ(alone.same_identity.probes, 0);
  EXPECT_TRUE(std::isnan(alone.same_identity.rank1.value));
  EXPECT_TRUE(alone.verification.empty());
  EXPECT_THAT(alone.mated_histogram, Each(0));
  input.probe_identity = input.gallery_identity = {0, 0, 1, 2};
  EXPECT_EQ(measure_linkage(input).same_identity.probes, 2);
}

TEST(Linkage, FindsACopyOfTheOriginalAsTheOriginal) {
  // Pictures 0 and 3 are one picture of two people, 1 and 2 another one twice of one person.
  const auto gallery = at_angles({0, 90, 90, 0, 45, 135});
  LinkageInput input{gallery, gallery, {0, 1, 2, 3, 4, 5}, {0, 1, 1, 2, 0, 1}, {0, 1, 1, 2, 0, 1}};
  EXPECT_NEAR(measure_linkage(input).same_image.rank1.value, (4 * 0.5 + 2) / 6, 1e-12);
  input.gallery_picture = equal_pictures(torch::tensor({7, 8, 8, 7, 9, 10}).reshape({6, 1}));
  EXPECT_EQ(input.gallery_picture, (std::vector<std::int64_t>{0, 1, 1, 0, 4, 5}));
  const Rankings rankings = rank_mates(input);
  EXPECT_EQ(measure_linkage(input).same_image.rank1.value, 1);
  EXPECT_NEAR(measure_linkage(input).same_image.chance_rank1, (4 * 2.0 / 6 + 2 * 1.0 / 6) / 6, 1e-12);
  // Nor is it another picture of the person, or a stranger's: of 0 only 4 is, of 1 and 2 only 5.
  EXPECT_EQ(rankings.same_identity[0].mates, 1);
  EXPECT_EQ(rankings.same_identity[0].others, 3);
  EXPECT_EQ(rankings.same_identity[1].mates, 1);
  EXPECT_EQ(rankings.same_identity[3].mates, 0);
  input.gallery_picture.pop_back();
  EXPECT_THROW(measure_linkage(input), ConfigError);
}

TEST(Linkage, GivesExactlyChanceWhenAllFeaturesAreEqual) {
  const auto same = unit_rows(torch::ones({12, 5}));
  const LinkageResult result = measure_linkage(everyone(same, same, 4, 3));
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
  // Person 0: five pictures at 0, 10, 20, 50 and 80 degrees, the probe is the first. 3,000 strangers: five
  // within 15 to 19 degrees, 25 at 45, the rest at 48. At FAR 1e-2 thirty accepts are allowed, so the
  // threshold lies between 45 and 48 degrees: 10 and 20 are accepted, 50 and 80 are not.
  std::vector<double> degrees{0, 10, 20, 50, 80};
  for (int i = 0; i < 5; ++i) degrees.push_back(15 + i);
  degrees.insert(degrees.end(), 25, 45);
  degrees.insert(degrees.end(), 2970, 48);
  LinkageInput input{at_angles({0}), at_angles(degrees), {0}, {0}, {0, 0, 0, 0, 0}};
  for (std::int64_t i = 0; i < 3000; ++i) input.gallery_identity.push_back(1 + i);
  const LinkageResult result = measure_linkage(input);
  ASSERT_EQ(result.verification.size(), 1U) << "1e-3 would rest on three false accepts";
  EXPECT_EQ(result.verification[0].far, 1e-2);
  EXPECT_EQ(result.verification[0].tar.value, 0.5);
  EXPECT_LE(result.verification[0].threshold, std::cos(45 * std::numbers::pi / 180));
  EXPECT_GT(result.verification[0].threshold, std::cos(48 * std::numbers::pi / 180));
  EXPECT_EQ(result.same_identity.rank1.value, 1);
  EXPECT_EQ(result.same_image.rank1.value, 1);
}

TEST(Linkage, RatesAtAFalseAcceptRateIncludeTheErrorOfTheirThreshold) {
  // Few dimensions: whether people are taken for each other depends on who they are, so thresholds differ from
  // sample to sample, and intervals that take them as known miss the truth.
  const auto world = [](std::int64_t people, std::int64_t images, std::uint64_t seed) {
    torch::manual_seed(seed);
    const auto centres = torch::randn({people, 4}).repeat_interleave(images, 0);
    const auto faces = unit_rows(centres + 0.35 * torch::randn_like(centres));
    return everyone(faces, faces, people, images);
  };
  const auto tar_of = [](const LinkageInput& input) { return measure_linkage(input).verification.at(0); };
  double truth = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) truth += tar_of(world(700, 2, 1000 + seed)).tar.value / 4;
  constexpr int sets = 60;
  int held = 0, held_alone = 0;
  for (int set = 0; set < sets; ++set) {
    const LinkageInput input = world(50, 3, static_cast<std::uint64_t>(set));
    const auto found = tar_of(input);
    held += found.tar.low <= truth && truth <= found.tar.high;
    // At the known threshold: the share of accepted pairs of a person, by person.
    std::vector<double> hits, trials;
    const auto scores = torch::matmul(input.probes, input.gallery.t()).contiguous();
    for (std::int64_t i = 0; i < 150; ++i) {
      double accepted = 0;
      for (std::int64_t j = i / 3 * 3; j < i / 3 * 3 + 3; ++j)
        accepted += j != i && scores[i][j].item<double>() >= found.threshold;
      hits.push_back(accepted);
      trials.push_back(2);
    }
    const Figure alone = interval_by_person(hits, trials, input.probe_identity);
    held_alone += alone.low <= truth && truth <= alone.high;
  }
  EXPECT_GE(held, static_cast<int>(0.89 * sets));  // 95 % less two standard errors of the simulation
  EXPECT_GT(held, held_alone) << "the threshold's error does not show here: the test proves nothing";
}

TEST(Linkage, RefusesLinksThatDoNotFit) {
  LinkageInput input = everyone(noise(6, 4, 1), noise(6, 4, 1), 3, 2);
  input.mate[4] = 6;
  EXPECT_THROW(measure_linkage(input), DataError);
  input.mate[4] = 0;  // another person's picture
  EXPECT_THROW(measure_linkage(input), DataError);
  input.mate.pop_back();
  EXPECT_THROW(measure_linkage(input), ConfigError);
}

}  // namespace
}  // namespace facemae
