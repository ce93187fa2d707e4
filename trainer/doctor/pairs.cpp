#include "trainer/doctor/pairs.h"

#include <algorithm>

#include "trainer/doctor/percentile.h"

namespace facemae {

std::vector<std::vector<std::pair<int, int>>> rounds_of_pairs(int n) {
  const int places = n + n % 2;  // with an odd number, whoever meets the last place rests
  std::vector<std::vector<std::pair<int, int>>> rounds;
  for (int round = 0; round + 1 < places; ++round) {
    auto& pairs = rounds.emplace_back();
    const auto at = [&](int place) { return place == 0 ? places - 1 : (round + place - 1) % (places - 1); };
    for (int place = 0; place < places / 2; ++place) {
      const auto [a, b] = std::minmax({at(place), at(places - 1 - place)});
      if (b < n) pairs.emplace_back(a, b);
    }
  }
  return rounds;
}

std::vector<SlowLink> slow_links(const std::vector<PairRate>& rates, int nodes) {
  std::vector<double> best(static_cast<std::size_t>(nodes), 0);
  for (const auto& pair : rates)
    for (const int node : {pair.a, pair.b})
      best[static_cast<std::size_t>(node)] = std::max(best[static_cast<std::size_t>(node)], pair.rate);
  std::vector<int> met;
  std::vector<double> best_of_met;
  for (int node = 0; node < nodes; ++node)
    if (best[static_cast<std::size_t>(node)] > 0) {
      met.push_back(node);
      best_of_met.push_back(best[static_cast<std::size_t>(node)]);
    }
  std::vector<SlowLink> slow;
  std::vector<bool> is_slow(static_cast<std::size_t>(nodes), false);
  for (const int i : slow_ones(best_of_met)) {
    const int node = met[static_cast<std::size_t>(i)];
    is_slow[static_cast<std::size_t>(node)] = true;
    slow.push_back(
        {.node = node, .rate = best_of_met[static_cast<std::size_t>(i)], .usual = median(best_of_met)});
  }
  std::vector<PairRate> sound;
  std::vector<double> sound_rates;
  for (const auto& pair : rates)
    if (!is_slow[static_cast<std::size_t>(pair.a)] && !is_slow[static_cast<std::size_t>(pair.b)]) {
      sound.push_back(pair);
      sound_rates.push_back(pair.rate);
    }
  for (const int i : slow_ones(sound_rates)) {
    const auto& pair = sound[static_cast<std::size_t>(i)];
    slow.push_back({.node = pair.a, .other = pair.b, .rate = pair.rate, .usual = median(sound_rates)});
  }
  return slow;
}

}  // namespace facemae
