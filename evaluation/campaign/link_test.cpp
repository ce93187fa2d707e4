#include "evaluation/campaign/link_test.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "evaluation/campaign/fold_means.h"
#include "evaluation/statistics/membership.h"
#include "evaluation/statistics/two_way.h"

namespace facemae {
namespace {

constexpr double kFalseAcceptRates[] = {0.01, 0.001};
constexpr std::int64_t kMostClasses = 500;

/// One pair of a person and a class: the groups are those of the class that the person is in, and of the other class.
struct Pair {
  double score = 0;
  std::size_t of_person = 0, of_class = 0;
};

struct Pairs {
  std::vector<Pair> right, other;  ///< falling scores
  std::int64_t groups = 0;
};

Pairs pairs_of(const Search& search, const Target& target) {
  const std::int64_t classes = target.released.class_count, some = std::min(classes, kMostClasses);
  std::vector<std::int64_t> group(static_cast<std::size_t>(classes), -1);
  for (std::int64_t i = 0; i < some; ++i) group[static_cast<std::size_t>(i * classes / some)] = i;
  Pairs pairs{.right = {}, .other = {}, .groups = some};
  const auto scores = search.scores.contiguous();
  const float* row = scores.const_data_ptr<float>();
  for (std::size_t p = 0; p < search.right.size(); ++p, row += classes) {
    const auto& right = search.right[p];
    if (right.empty() || group[static_cast<std::size_t>(right.front())] < 0) continue;
    const auto own = static_cast<std::size_t>(group[static_cast<std::size_t>(right.front())]);
    for (std::int64_t c = 0; c < classes; ++c) {
      if (group[static_cast<std::size_t>(c)] < 0) continue;
      const bool is_right = std::find(right.begin(), right.end(), c) != right.end();
      (is_right ? pairs.right : pairs.other)
          .push_back({row[c], own, static_cast<std::size_t>(group[static_cast<std::size_t>(c)])});
    }
  }
  const auto falling = [](const Pair& a, const Pair& b) { return a.score > b.score; };
  std::sort(pairs.right.begin(), pairs.right.end(), falling);
  std::sort(pairs.other.begin(), pairs.other.end(), falling);
  return pairs;
}

/// The weight of all of them.
double weight_of(const std::vector<Pair>& pairs, const std::function<double(const Pair&)>& weight) {
  return std::accumulate(pairs.begin(), pairs.end(), 0.0,
                         [&](double sum, const Pair& pair) { return sum + weight(pair); });
}

/// Pairs that score as the threshold does count in part, so that the rate of false accepts is `far`. NaN without pairs.
double tar_at(double far, const Pairs& pairs, std::span<const double> drawn) {
  const auto of_right = [&](const Pair& pair) { return drawn[pair.of_person]; };
  const auto of_other = [&](const Pair& pair) { return drawn[pair.of_person] * drawn[pair.of_class]; };
  const double allowed = far * weight_of(pairs.other, of_other), all = weight_of(pairs.right, of_right);
  if (!(allowed > 0) || !(all > 0)) return std::numeric_limits<double>::quiet_NaN();
  double above = 0, level = 0;
  std::size_t first = 0;  // of the other pairs with the score of the threshold
  while (true) {
    std::size_t end = first;
    for (level = 0; end < pairs.other.size() && pairs.other[end].score == pairs.other[first].score; ++end)
      level += of_other(pairs.other[end]);
    if (above + level >= allowed || end == pairs.other.size()) break;
    above += level;
    first = end;
  }
  const double threshold = pairs.other[first].score, share = std::min(1.0, (allowed - above) / level);
  double found = 0;
  for (const Pair& pair : pairs.right) {
    if (pair.score < threshold) break;
    found += of_right(pair) * (pair.score > threshold ? 1 : share);
  }
  return found / all;
}

double linkable(const Pairs& pairs, std::span<const double> drawn) {
  std::vector<double> right, other;  // weights are equal where they are not 0
  for (const Pair& pair : pairs.right)
    if (drawn[pair.of_person] > 0) right.push_back(pair.score);
  for (const Pair& pair : pairs.other)
    if (drawn[pair.of_person] * drawn[pair.of_class] > 0) other.push_back(pair.score);
  if (right.empty() || other.empty()) return std::numeric_limits<double>::quiet_NaN();
  return d_sys(right, other, score_bins(pairs.right.size(), pairs.other.size()));
}

}  // namespace

void LinkTest::add(const Search& person_to_class, const Target& target) {
  const Pairs pairs = pairs_of(person_to_class, target);
  if (pairs.right.empty() || pairs.other.empty()) return;
  const std::vector<double> everybody(static_cast<std::size_t>(pairs.groups), 1);
  const auto count = static_cast<double>(pairs.right.size());
  std::vector<AttackFigure> found;
  const auto tell = [&](const char* metric, double far, const WeightedFigure& figure) {
    found.push_back({.metric = metric,
                     .attack = attack_,
                     .attacker = attacker_,
                     .far = far,
                     .found = two_way_interval(figure(everybody), pairs.groups, count, figure),
                     .people = std::ssize(pairs.right),
                     .person_pairs = std::ssize(pairs.other)});
  };
  for (const double far : kFalseAcceptRates)
    if (far * static_cast<double>(pairs.other.size()) >= kFewestFalseAccepts)
      tell("tar_at_far", far,
           [&pairs, far](std::span<const double> drawn) { return tar_at(far, pairs, drawn); });
  tell("dsys", 0, [&pairs](std::span<const double> drawn) { return linkable(pairs, drawn); });
  folds_.push_back(std::move(found));
}

std::vector<AttackFigure> LinkTest::figures() const { return mean_of_folds(folds_); }

}  // namespace facemae
