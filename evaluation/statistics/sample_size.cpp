#include "evaluation/statistics/sample_size.h"

#include <boost/math/distributions/binomial.hpp>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

/// The fewest trials with which `hits` hits have an upper limit of at most `threshold`.
std::int64_t fewest_trials(std::int64_t hits, double threshold, double alpha) {
  const auto fits = [&](std::int64_t trials) {
    return exact_upper(static_cast<double>(hits), static_cast<double>(trials), alpha) <= threshold;
  };
  std::int64_t below = hits, enough = hits + 1;
  while (!fits(enough)) below = std::exchange(enough, enough * 2);
  while (enough - below > 1) {
    const std::int64_t middle = below + (enough - below) / 2;
    (fits(middle) ? enough : below) = middle;
  }
  return enough;
}

}  // namespace

std::int64_t people_to_show_below(double threshold, double truth, double alpha, double power) {
  if (!(truth >= 0 && truth < threshold && threshold < 1))
    throw ConfigError(fmt::format(
        "a sample size was asked for a truth of {} below a threshold of {}: only a truth below it can be shown",
        truth, threshold));
  for (std::int64_t hits = 0;; ++hits) {
    const std::int64_t trials = fewest_trials(hits, threshold, alpha);
    const boost::math::binomial distribution(static_cast<double>(trials), truth);
    if (boost::math::cdf(distribution, static_cast<double>(hits)) >= power) return trials;
  }
}

std::string sample_size_advice(double threshold, double value, double alpha) {
  if (threshold < 1e-9 || threshold >= 1) return "no number of people can show this";
  // Nearer to the threshold than this, the number of people grows beyond all bounds.
  constexpr double nearest = 0.9;
  if (value > nearest * threshold)
    return "the figure itself is at the threshold: more people will hardly help, less leakage will";
  const double truth = std::max(value, threshold / 4);
  return fmt::format(
      "about {} people who count fully would show less than {:.3g} % four times in five, if the truth is {:.3g} %",
      human_count(static_cast<std::uint64_t>(people_to_show_below(threshold, truth, alpha))), 100 * threshold,
      100 * truth);
}

}  // namespace facemae
