#include "evaluation/verification/verification.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "checkpoint/tensors/safetensors.h"
#include "core/error.h"
#include "core/random/keys.h"
#include "tests/golden/numbers.h"

namespace facemae {
namespace {

struct Pairs {
  std::vector<double> distances;
  std::vector<char> same;
};
/// Overlapping clouds of distances on a grid of `grid` steps, so that there are ties.
Pairs some_pairs(std::size_t count, std::uint64_t seed, double grid) {
  Draws draws(seed);
  Pairs pairs;
  for (std::size_t i = 0; i < count; ++i) {
    pairs.same.push_back(draws.uniform() < 0.4);
    const double distance = std::clamp((pairs.same.back() ? 1.2 : 1.9) + 0.4 * draws.normal(), 0.0, 4.0);
    pairs.distances.push_back(std::round(distance * grid) / grid);
  }
  return pairs;
}

TEST(Verification, EqualsTheOfficialFoldAccuraciesExactly) {
  torch::Tensor embeddings, same, accuracies;
  for (const auto& [name, tensor] :
       read_safetensors(golden_file("insightface_losses_and_protocol.safetensors"))) {
    if (name == "verification.embeddings") embeddings = tensor;
    if (name == "verification.same") same = tensor;
    if (name == "verification.fold_accuracy") accuracies = tensor;
  }
  const auto* answers = static_cast<const char*>(same.data_ptr());
  const auto result = verify(embeddings, {answers, static_cast<std::size_t>(same.numel())});
  ASSERT_EQ(result.folds.size(), 10U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(result.folds[i], accuracies[i].item<double>()) << "fold " << i;
  EXPECT_DOUBLE_EQ(result.accuracy, accuracies.mean().item<double>());
  EXPECT_DOUBLE_EQ(result.accuracy_std, accuracies.std(false).item<double>());
}

/// Ten folds by trying all thresholds on each.
void expect_folds(const Pairs& pairs, const Verification& result) {
  double thresholds = 0;
  for (std::size_t fold = 0, begin = 0; fold < 10; ++fold) {
    const std::size_t size = pairs.same.size() / 10 + (fold < pairs.same.size() % 10 ? 1 : 0);
    int best_right = -1, held_out_right = 0;
    double best_threshold = 0;
    for (int t = 0; t < 400; ++t) {
      int right = 0, inside = 0;
      for (std::size_t i = 0; i < pairs.same.size(); ++i) {
        const bool correct = (pairs.distances[i] < t * 0.01) == (pairs.same[i] != 0);
        (i >= begin && i < begin + size ? inside : right) += correct;
      }
      if (right > best_right) best_right = right, held_out_right = inside, best_threshold = t * 0.01;
    }
    ASSERT_EQ(result.folds[fold], static_cast<double>(held_out_right) / static_cast<double>(size))
        << "fold " << fold;
    ASSERT_EQ(result.thresholds[fold], best_threshold) << "fold " << fold;
    thresholds += best_threshold / 10;
    begin += size;
  }
  EXPECT_NEAR(result.threshold, thresholds, 1e-12);
}

TEST(Verification, ChoosesTheThresholdOfEachFoldFromTheOthers) {
  for (const double grid : {100.0, 37.0, 1e9}) {
    const auto pairs = some_pairs(203, 5, grid);  // 203 pairs in 10 folds: three folds of 21
    expect_folds(pairs, verify_distances(pairs.distances, pairs.same));
  }
}

TEST(Verification, CountsAucEerAndTarFromAllPairs) {
  const auto pairs = some_pairs(400, 9, 50);
  const auto result = verify_distances(pairs.distances, pairs.same);
  double wins = 0, positives = 0, negatives = 0;
  for (std::size_t i = 0; i < pairs.same.size(); ++i) {
    (pairs.same[i] ? positives : negatives) += 1;
    for (std::size_t j = 0; j < pairs.same.size(); ++j)
      if (pairs.same[i] && !pairs.same[j])
        wins += pairs.distances[i] < pairs.distances[j]    ? 1
                : pairs.distances[i] == pairs.distances[j] ? 0.5
                                                           : 0;
  }
  EXPECT_NEAR(result.auc, wins / positives / negatives, 1e-12);

  ASSERT_EQ(result.tar_at_far.size(), 2U) << "240 impostors tell nothing of a rate of 1 in 1,000";
  for (const auto& [far, tar] : result.tar_at_far) {
    double best = 0;
    for (const double limit : pairs.distances) {
      double accepted = 0, wrong = 0;
      for (std::size_t i = 0; i < pairs.same.size(); ++i)
        if (pairs.distances[i] <= limit) (pairs.same[i] ? accepted : wrong) += 1;
      if (wrong <= far * negatives) best = std::max(best, accepted / positives);
    }
    EXPECT_EQ(tar, best) << far;
  }
  EXPECT_GT(result.eer, 0);
  EXPECT_LT(result.eer, 1 - result.auc + 0.2);
}

/// AUC, EER and true accepts by definition, one threshold after the other, in whole numbers.
struct ByDefinition {
  explicit ByDefinition(const Pairs& pairs) {
    std::vector<double> limits(pairs.distances);
    std::sort(limits.begin(), limits.end());
    limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
    for (const char answer : pairs.same) ++(answer ? positives : negatives);
    std::int64_t twice_wins = 0, false_before = 0, true_before = 0;
    bool met = false;
    for (const double limit : limits) {
      std::int64_t right = 0, wrong = 0;
      for (std::size_t i = 0; i < pairs.same.size(); ++i)
        if (pairs.distances[i] <= limit) ++(pairs.same[i] ? right : wrong);
      accepts.emplace_back(right, wrong);
      twice_wins += (right - true_before) * (2 * negatives - wrong - false_before);
      // In units of 1 / (positives x negatives), false accepts u and true accepts v move along a straight piece.
      const std::int64_t all = positives * negatives, u = false_before * positives,
                         v = true_before * negatives, du = wrong * positives - u, dv = right * negatives - v;
      if (!met && u + du + v + dv >= all) {
        eer = static_cast<double>(u * (du + dv) + (all - u - v) * du) / static_cast<double>((du + dv) * all);
        met = true;
      }
      true_before = right, false_before = wrong;
    }
    auc = static_cast<double>(twice_wins) / static_cast<double>(2 * positives * negatives);
  }
  double tar(double far) const {
    std::int64_t best = 0;
    for (const auto& [right, wrong] : accepts)
      if (static_cast<double>(wrong) / static_cast<double>(negatives) <= far) best = std::max(best, right);
    return static_cast<double>(best) / static_cast<double>(positives);
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> accepts;
  std::int64_t positives = 0, negatives = 0;
  double auc = 0, eer = 0;
};

TEST(Verification, GivesTheFiguresOfTheDefinitionsToTheLastDigitOnAThousandSetsWithTies) {
  for (std::uint64_t set = 0; set < 1000; ++set) {
    const auto pairs = some_pairs(20 + set % 131, 1000 + set, set % 3 == 0 ? 10 : set % 3 == 1 ? 64 : 1e9);
    const auto result = verify_distances(pairs.distances, pairs.same);
    const ByDefinition wanted(pairs);
    ASSERT_EQ(result.auc, wanted.auc) << "set " << set;
    ASSERT_EQ(result.eer, wanted.eer) << "set " << set;
    std::size_t rates = 0;
    for (const double far : {1e-1, 1e-2, 1e-3})
      if (static_cast<double>(wanted.negatives) >= 1 / far) {
        ASSERT_LT(rates, result.tar_at_far.size()) << "set " << set;
        ASSERT_EQ(result.tar_at_far[rates].far, far);
        ASSERT_EQ(result.tar_at_far[rates++].tar, wanted.tar(far)) << "set " << set << ", " << far;
      }
    ASSERT_EQ(result.tar_at_far.size(), rates);
    expect_folds(pairs, result);
  }
}

TEST(Verification, GivesTheEerWhereFalseAcceptsEqualFalseRejects) {
  // Of five pairs of each kind, one crosses over: both rates are 0.2 between 1.0 and 1.1.
  const std::vector<double> distances = {0.1, 0.2, 0.3, 0.4, 1.5, 1.0, 1.6, 1.7, 1.8, 1.9};
  const std::vector<char> same = {1, 1, 1, 1, 1, 0, 0, 0, 0, 0};
  EXPECT_NEAR(verify_distances(distances, same, 2).eer, 0.2, 1e-12);
}

TEST(Verification, ScoresPerfectAndHopelessEmbeddings) {
  std::vector<double> distances;
  std::vector<char> same;
  for (int i = 0; i < 40; ++i) {
    same.push_back(i % 2 == 0);
    distances.push_back(same.back() ? 0.5 : 2.0);
  }
  const auto perfect = verify_distances(distances, same);
  EXPECT_EQ(perfect.accuracy, 1);
  EXPECT_EQ(perfect.auc, 1);
  EXPECT_EQ(perfect.eer, 0);
  EXPECT_EQ(perfect.tar_at_far.back().tar, 1);
  const auto equal = verify_distances(std::vector<double>(40, 1.0), same);
  EXPECT_EQ(equal.accuracy, 0.5);
  EXPECT_EQ(equal.auc, 0.5);
  EXPECT_EQ(equal.eer, 0.5);
  EXPECT_EQ(equal.tar_at_far.front().tar, 0);
  const auto broken = verify_distances(std::vector<double>(40, std::nan("")), same);
  EXPECT_EQ(broken.accuracy, 0.5);
  EXPECT_EQ(broken.auc, 0.5);
}

TEST(Verification, KnowsDistancesThatTellNothingApart) {
  const std::vector<char> same = {1, 0, 1, 0};
  EXPECT_TRUE(verify_distances(std::vector<double>{0.5, 0.501, 0.5, 0.509}, same, 2).collapsed);
  EXPECT_FALSE(verify_distances(std::vector<double>{0.5, 0.501, 0.5, 0.511}, same, 2).collapsed);
  EXPECT_TRUE(verify_distances(std::vector<double>(4, std::nan("")), same, 2).collapsed);
  EXPECT_FALSE(verify_distances(std::vector<double>{0.1, std::nan(""), 0.2, 2}, same, 2).collapsed);
}

TEST(Verification, HasNoCurveWithoutPairsOfBothKinds) {
  const auto result = verify_distances(std::vector<double>(20, 1.0), std::vector<char>(20, 1));
  EXPECT_EQ(result.accuracy, 1);
  EXPECT_TRUE(std::isnan(result.auc));
  EXPECT_TRUE(std::isnan(result.eer));
  EXPECT_TRUE(result.tar_at_far.empty());
}

TEST(Verification, RefusesWhatItCannotFold) {
  EXPECT_THROW(verify_distances(std::vector<double>(9, 1.0), std::vector<char>(9, 1)), ConfigError);
  EXPECT_THROW(verify_distances(std::vector<double>(20, 1.0), std::vector<char>(19, 1)), ConfigError);
  EXPECT_THROW(verify(torch::zeros({21, 4}), std::vector<char>(10, 1)), ConfigError);
}

TEST(Verification, AddsMirroredEmbeddingsBeforeItNormalises) {
  const auto plain = torch::tensor({{3.0F, 0.0F}, {0.0F, 1.0F}}),
             mirrored = torch::tensor({{0.0F, 4.0F}, {0.0F, 1.0F}});
  EXPECT_TRUE(torch::allclose(flip_sum(plain, mirrored), torch::tensor({{0.6F, 0.8F}, {0.0F, 1.0F}})));
}

}  // namespace
}  // namespace facemae
