#include "evaluation/statistics/intervals.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr double kTail = 0.025;
constexpr double kEnough = 40;  ///< effective hits and misses that tell a design effect
constexpr Figure kNothing{std::numeric_limits<double>::quiet_NaN(), 0, 1};

double student(double degrees) { return boost::math::quantile(boost::math::students_t(degrees), 1 - kTail); }

struct Sum {
  double hits = 0, trials = 0;
};

/// Of the ratio sum(hits) / sum(trials) over people, by linearisation.
double variance(const std::vector<Sum>& people, const Sum& all) {
  const auto count = static_cast<double>(people.size());
  double squares = 0;
  for (const Sum& person : people)
    squares += std::pow(person.hits - all.hits / all.trials * person.trials, 2);
  return count / (count - 1) * squares / (all.trials * all.trials);
}

}  // namespace

Figure clopper_pearson(double hits, double trials) {
  if (trials == 0) return kNothing;
  if (hits > trials)
    throw ConfigError(fmt::format("an interval was asked for {} hits in {} trials", hits, trials));
  return {hits / trials, hits <= 0 ? 0 : boost::math::ibeta_inv(hits, trials - hits + 1, kTail),
          hits >= trials ? 1 : boost::math::ibeta_inv(hits + 1, trials - hits, 1 - kTail)};
}

Figure interval_by_person(std::span<const double> hits, std::span<const double> trials,
                          std::span<const std::int64_t> person) {
  std::vector<Sum> people;  // in order of appearance, so that sums do not depend on hashing
  std::unordered_map<std::int64_t, std::size_t> place;
  Sum all;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (trials[i] == 0) continue;
    const auto [found, is_new] = place.try_emplace(person[i], people.size());
    if (is_new) people.emplace_back();
    people[found->second].hits += hits[i];
    people[found->second].trials += trials[i];
    all.hits += hits[i];
    all.trials += trials[i];
  }
  if (people.empty()) return kNothing;
  const double value = all.hits / all.trials, count = static_cast<double>(people.size());
  double effective = count;
  if (const double spread = people.size() < 2 ? 0 : variance(people, all); spread > 0) {
    effective = value * (1 - value) / spread;
    effective *= std::pow(student(std::max(1.0, all.trials - 1)) / student(count - 1), 2);
    effective = std::min(effective, all.trials);
    if (std::min(value, 1 - value) * effective < kEnough) effective = std::min(effective, count);
  }
  Figure result = clopper_pearson(value * effective, effective);
  result.value = value;
  return result;
}

std::int64_t people_tried(std::span<const double> trials, std::span<const std::int64_t> person) {
  std::unordered_set<std::int64_t> people;
  for (std::size_t i = 0; i < trials.size(); ++i)
    if (trials[i] > 0) people.insert(person[i]);
  return static_cast<std::int64_t>(people.size());
}

}  // namespace facemae
