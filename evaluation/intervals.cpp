#include "evaluation/intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "core/keys.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr double kTail = 0.025;
constexpr int kResamples = 1000;
constexpr double kFew = 10;

/// The x with I_x(a, b) = p, by bisection: the function grows with x.
double beta_quantile(double p, double a, double b) {
  double low = 0, high = 1;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (incomplete_beta(middle, a, b) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// Linear between order statistics, as numpy's default.
double quantile(const std::vector<double>& sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

}  // namespace

double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side only; I_x(a, b) = 1 - I_(1-x)(b, a) is the other.
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(1 - x, b, a);
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) /
      a;
  // Lentz's method, modified by Thompson and Barnett (1986).
  constexpr double tiny = 1e-300;
  const auto not_zero = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m < 100000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / not_zero(1 + even * d);
    c = not_zero(1 + even / c);
    fraction *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / not_zero(1 + odd * d);
    c = not_zero(1 + odd / c);
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

Figure clopper_pearson(std::uint64_t hits, std::uint64_t trials) {
  if (trials == 0) return {std::numeric_limits<double>::quiet_NaN(), 0, 1};
  if (hits > trials)
    throw ConfigError(fmt::format("an interval was asked for {} hits in {} trials", hits, trials));
  const auto k = static_cast<double>(hits), n = static_cast<double>(trials);
  return {k / n, hits == 0 ? 0 : beta_quantile(kTail, k, n - k + 1),
          hits == trials ? 1 : beta_quantile(1 - kTail, k + 1, n - k)};
}

Figure bootstrap_by_identity(std::span<const double> hits, std::span<const double> trials,
                             std::span<const std::int64_t> identity, std::uint64_t seed,
                             std::uint64_t figure) {
  struct Person {
    double hits = 0, trials = 0;
  };
  std::vector<Person> people;  // in order of appearance, so that draws do not depend on hashing
  std::unordered_map<std::int64_t, std::size_t> place;
  Person all;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (trials[i] == 0) continue;
    const auto [found, is_new] = place.try_emplace(identity[i], people.size());
    if (is_new) people.emplace_back();
    people[found->second].hits += hits[i];
    people[found->second].trials += trials[i];
    all.hits += hits[i];
    all.trials += trials[i];
  }
  if (all.trials == 0) return {std::numeric_limits<double>::quiet_NaN(), 0, 1};

  std::vector<double> values;
  values.reserve(kResamples);
  for (int r = 0; r < kResamples; ++r) {
    Draws draws(key_of(seed, Purpose::Bootstrap, figure, static_cast<std::uint64_t>(r)));
    Person sum;
    for (std::size_t i = 0; i < people.size(); ++i) {
      const Person& person = people[draws.below(people.size())];
      sum.hits += person.hits;
      sum.trials += person.trials;
    }
    values.push_back(sum.hits / sum.trials);
  }
  std::sort(values.begin(), values.end());
  Figure result{all.hits / all.trials, quantile(values, kTail), quantile(values, 1 - kTail)};
  if (all.hits < kFew || all.trials - all.hits < kFew) {
    const auto n = static_cast<std::uint64_t>(std::llround(all.trials));
    const auto k = std::min(n, static_cast<std::uint64_t>(std::llround(all.hits)));
    const Figure exact = clopper_pearson(k, n);
    result.low = std::min(result.low, exact.low);
    result.high = std::max(result.high, exact.high);
  }
  return result;
}

}  // namespace facemae
