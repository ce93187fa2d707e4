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

constexpr double kEnough = 40;  ///< effective hits and misses that tell a design effect
constexpr Figure kNothing{std::numeric_limits<double>::quiet_NaN(), 0, 1};

double student(double degrees, double tail) {
  return boost::math::quantile(boost::math::students_t(degrees), 1 - tail);
}

/// What the people show, each with all of their trials.
struct Sample {
  std::vector<Tally> people;  ///< in order of appearance, so that sums do not depend on hashing
  double hits = 0, trials = 0;

  void add(std::int64_t person, double more_hits, double more_trials) {
    if (more_trials == 0) return;
    const auto [found, is_new] = place_.try_emplace(person, people.size());
    if (is_new) people.push_back({.person = person});
    people[found->second].hits += more_hits;
    people[found->second].trials += more_trials;
    hits += more_hits;
    trials += more_trials;
  }
  double value() const { return hits / trials; }
  /// Kish's effective number: that of the people when all have equally many trials.
  double equal_people() const {
    double squares = 0;
    for (const Tally& person : people) squares += person.trials * person.trials;
    return trials * trials / squares;
  }
  /// Of the ratio hits / trials over people, by linearisation.
  double variance() const {
    if (people.size() < 2) return 0;
    const auto count = static_cast<double>(people.size());
    double squares = 0;
    for (const Tally& person : people) squares += std::pow(person.hits - value() * person.trials, 2);
    return count / (count - 1) * squares / (trials * trials);
  }

 private:
  std::unordered_map<std::int64_t, std::size_t> place_;
};

Sample sample_of(std::span<const Tally> tallies) {
  Sample sample;
  for (const Tally& tally : tallies) sample.add(tally.unit(), tally.hits, tally.trials);
  return sample;
}

/// The number of independent trials that tell as much.
double effective_trials(double value, double variance, double people, double trials, double tail) {
  double effective = people;
  if (variance > 0) {
    effective = value * (1 - value) / variance;
    if (people > 1)
      effective *= std::pow(student(std::max(1.0, trials - 1), tail) / student(people - 1, tail), 2);
    effective = std::min(effective, trials);
    if (std::min(value, 1 - value) * effective < kEnough) effective = std::min(effective, people);
  }
  return effective;
}

double effective_trials(const Sample& sample, double tail) {
  return effective_trials(sample.value(), sample.variance(), sample.equal_people(), sample.trials, tail);
}

double people_effective(const Sample& sample, double tail) {
  return std::min(effective_trials(sample, tail), sample.equal_people());
}

Figure interval_of(const Sample& sample) {
  if (sample.people.empty()) return kNothing;
  const double effective = effective_trials(sample, kTail);
  Figure result = clopper_pearson(sample.value() * effective, effective);
  result.value = sample.value();
  return result;
}

}  // namespace

double exact_upper(double hits, double trials, double alpha) {
  return hits >= trials ? 1 : boost::math::ibeta_inv(hits + 1, trials - hits, 1 - alpha);
}

double exact_lower(double hits, double trials, double alpha) {
  return hits <= 0 ? 0 : boost::math::ibeta_inv(hits, trials - hits + 1, alpha);
}

Figure clopper_pearson(double hits, double trials) {
  if (trials == 0) return kNothing;
  if (hits > trials)
    throw ConfigError(fmt::format("an interval was asked for {} hits in {} trials", hits, trials));
  return {hits / trials, exact_lower(hits, trials, kTail), exact_upper(hits, trials, kTail)};
}

Figure interval_by_person(std::span<const Tally> tallies) { return interval_of(sample_of(tallies)); }

Figure interval_by_person(std::span<const double> hits, std::span<const double> trials,
                          std::span<const std::int64_t> person) {
  Sample sample;
  for (std::size_t i = 0; i < hits.size(); ++i) sample.add(person[i], hits[i], trials[i]);
  return interval_of(sample);
}

Figure interval_of_spread(double value, double variance, double people, double trials) {
  if (std::isnan(value) || people == 0) return kNothing;
  const double effective = effective_trials(value, variance, people, trials, kTail);
  Figure result = clopper_pearson(value * effective, effective);
  result.value = value;
  return result;
}

double upper_limit(const Measurement& measurement, double alpha) {
  const Sample sample = sample_of(measurement.tallies);
  if (sample.people.empty()) return 1;
  const double effective = people_effective(sample, alpha);
  return exact_upper(sample.value() * effective, effective, alpha);
}

double lower_limit(const Measurement& measurement, double alpha) {
  const Sample sample = sample_of(measurement.tallies);
  if (sample.people.empty()) return 0;
  const double effective = people_effective(sample, alpha);
  return exact_lower(sample.value() * effective, effective, alpha);
}

double people_effective(const Measurement& measurement) {
  const Sample sample = sample_of(measurement.tallies);
  return sample.people.empty() ? 0 : people_effective(sample, kTail);
}

std::int64_t people_tried(std::span<const double> trials, std::span<const std::int64_t> person) {
  std::unordered_set<std::int64_t> people;
  for (std::size_t i = 0; i < trials.size(); ++i)
    if (trials[i] > 0) people.insert(person[i]);
  return static_cast<std::int64_t>(people.size());
}

}  // namespace facemae
