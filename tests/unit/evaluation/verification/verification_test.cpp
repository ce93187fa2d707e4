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

TEST(Verification, ChoosesTheThresholdOfEachFoldFromTheOthers) {
  for (const double grid : {100.0, 37.0, 1e9}) {
    const auto pairs = some_pairs(203, 5, grid);  // 203 pairs in 10 folds: three folds of 21
    const auto result = verify_distances(pairs.distances, pairs.same);
    double thresholds = 0;
    for (std::size_t fold = 0, begin = 0; fold < 10; ++fold) {
      const std::size_t size = fold < 3 ? 21 : 20;
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
      EXPECT_EQ(result.folds[fold], static_cast<double>(held_out_right) / static_cast<double>(size))
          << "fold " << fold;
      thresholds += best_threshold / 10;
      begin += size;
    }
    EXPECT_NEAR(result.threshold, thresholds, 1e-12);
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

  ASSERT_EQ(result.tar_at_far.size(), 3U);
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

TEST(Verification, HasNoCurveWithoutPairsOfBothKinds) {
  const auto result = verify_distances(std::vector<double>(20, 1.0), std::vector<char>(20, 1));
  EXPECT_EQ(result.accuracy, 1);
  EXPECT_TRUE(std::isnan(result.auc));
  EXPECT_TRUE(std::isnan(result.eer));
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
