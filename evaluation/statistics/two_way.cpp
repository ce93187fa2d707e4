#include "evaluation/statistics/two_way.h"

#include <cmath>
#include <vector>

#include "core/random/keys.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {

Figure two_way_interval(double value, std::int64_t people, double trials, const WeightedFigure& figure,
                        std::uint64_t seed) {
  constexpr int draws = 200;  // the variance within a tenth of itself
  std::vector<double> weights(static_cast<std::size_t>(people));
  double squares = 0;
  int counted = 0;
  for (int draw = 0; draw < draws; ++draw) {
    Draws random(key_of(seed, Purpose::Persons, static_cast<std::uint64_t>(draw)));
    for (double& weight : weights) weight = random.next() >> 63 ? 2 : 0;
    const double drawn = figure(weights);
    if (std::isnan(drawn)) continue;
    squares += (drawn - value) * (drawn - value);
    ++counted;
  }
  const double variance = counted > 0 ? squares / counted : 0;
  return interval_of_spread(value, variance, static_cast<double>(people), trials);
}

}  // namespace facemae
