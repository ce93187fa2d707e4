#include "evaluation/linkage/linkage.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <span>

#include "core/checksum.h"
#include "evaluation/linkage/false_accepts.h"
#include "evaluation/linkage/retrieval.h"
#include "evaluation/statistics/intervals.h"
#include "evaluation/statistics/two_way.h"

namespace facemae {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

double median(std::vector<double> values) {
  if (values.empty()) return kNotMeasured;
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

Retrieval summarise(const std::vector<Standing>& standings, const LinkageInput& input) {
  Retrieval result;
  std::vector<double> ranks, trials;
  double precision = 0, chance = 0;
  for (const Standing& standing : standings) {
    trials.push_back(standing.mates > 0 ? 1 : 0);
    if (standing.mates == 0) continue;
    ranks.push_back(standing.rank());
    precision += standing.average_precision;
    chance += static_cast<double>(standing.mates) / static_cast<double>(standing.mates + standing.others);
  }
  result.probes = static_cast<std::int64_t>(ranks.size());
  result.people = people_tried(trials, input.probe_identity);
  const auto hits_at = [&](int places) {
    std::vector<double> hits;
    hits.reserve(standings.size());
    for (const Standing& standing : standings) hits.push_back(standing.hit_at(places));
    return interval_by_person(hits, trials, input.probe_identity);
  };
  result.rank1 = hits_at(1);
  result.rank5 = hits_at(5);
  result.rank10 = hits_at(10);
  const auto counted = static_cast<double>(result.probes);
  result.median_rank = median(std::move(ranks));
  result.mean_average_precision = counted > 0 ? precision / counted : kNotMeasured;
  result.chance_rank1 = counted > 0 ? chance / counted : kNotMeasured;
  return result;
}

std::vector<double> coarse(const ScoreCounts& counts) {
  constexpr std::int64_t bins = 64;
  std::vector<double> histogram(bins);
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  if (total == 0) return histogram;
  for (std::size_t b = 0; b < counts.size(); ++b) {
    histogram[b / (kScoreBins / bins)] += static_cast<double>(counts[b]) / total;
  }
  return histogram;
}

/// The lowest threshold that at most `allowed` of the other people's scores reach.
double threshold_for(const ScoreCounts& others, std::uint64_t allowed) {
  std::uint64_t accepted = 0;
  for (std::int64_t bin = kScoreBins - 1; bin >= 0; --bin) {
    accepted += others[static_cast<std::size_t>(bin)];
    if (accepted > allowed) return score_edge(bin + 1);
  }
  return -1;
}

/// The share of probes' scores with the person's other images that reach the threshold, each person counted w times.
double accepted_share(const Rankings& rankings, const FalseAccepts& strangers, double threshold,
                      std::span<const double> weights) {
  double accepted = 0, tried = 0;
  for (std::size_t i = 0; i < strangers.person_of_probe.size(); ++i) {
    const double weight = weights[static_cast<std::size_t>(strangers.person_of_probe[i])];
    if (weight == 0) continue;
    const auto* first = rankings.mated_scores.data() + rankings.mated_start[i];
    const auto* last = rankings.mated_scores.data() + rankings.mated_start[i + 1];
    accepted += weight * static_cast<double>(
                             std::count_if(first, last, [&](float score) { return score >= threshold; }));
    tried += weight * static_cast<double>(last - first);
  }
  return tried > 0 ? accepted / tried : kNotMeasured;
}

/// The interval at a threshold that is taken as known.
Figure rate_at(double threshold, const Rankings& rankings, const LinkageInput& input) {
  std::vector<double> hits, trials;
  for (std::size_t i = 0; i < input.mate.size(); ++i) {
    const auto* first = rankings.mated_scores.data() + rankings.mated_start[i];
    const auto* last = rankings.mated_scores.data() + rankings.mated_start[i + 1];
    hits.push_back(static_cast<double>(std::count_if(first, last, [&](float s) { return s >= threshold; })));
    trials.push_back(static_cast<double>(last - first));
  }
  return interval_by_person(hits, trials, input.probe_identity);
}

/// With the error of the threshold, which is found anew for each draw of people.
Figure rate_at_far(double far, double threshold, const Rankings& rankings, const LinkageInput& input,
                   const FalseAccepts& strangers) {
  const Figure alone = rate_at(threshold, rankings, input);
  std::vector<double> trials;
  for (std::size_t i = 0; i < input.mate.size(); ++i)
    trials.push_back(static_cast<double>(rankings.mated_start[i + 1] - rankings.mated_start[i]));
  const Figure both = two_way_interval(
      alone.value, static_cast<std::int64_t>(strangers.images_of.size()),
      static_cast<double>(rankings.mated_scores.size()), [&](std::span<const double> weights) {
        const double drawn = threshold_at(strangers, far, weights);
        return std::isnan(drawn) ? kNotMeasured : accepted_share(rankings, strangers, drawn, weights);
      });
  return {alone.value, std::min(alone.low, both.low), std::max(alone.high, both.high)};
}

std::vector<LinkageResult::AtFar> verification_rates(const Rankings& rankings, const LinkageInput& input) {
  // With 30, the true rate is 0.67 to 1.43 times the one that is asked for (exact Poisson interval).
  constexpr double fewest_false_accepts = 30;
  // Draws of people move the threshold: pairs of strangers are kept to three times the highest rate.
  constexpr double reserve = 3;
  const auto pairs = std::accumulate(rankings.others.begin(), rankings.others.end(), std::uint64_t{0});
  const auto allowed_at = [&](double far) {
    return static_cast<std::uint64_t>(std::floor(far * static_cast<double>(pairs) + 1e-6));
  };
  constexpr double highest = 1e-2;
  std::vector<LinkageResult::AtFar> rates;
  if (rankings.mated_scores.empty() || static_cast<double>(allowed_at(highest)) < fewest_false_accepts)
    return rates;
  const std::uint64_t kept = allowed_at(reserve * highest);
  const FalseAccepts strangers =
      false_accepts(input, static_cast<float>(threshold_for(rankings.others, kept)), kept);
  for (const double far : {highest, 1e-3, 1e-4}) {
    if (static_cast<double>(allowed_at(far)) < fewest_false_accepts) break;
    const double threshold = threshold_for(rankings.others, allowed_at(far));
    rates.push_back({far, rate_at_far(far, threshold, rankings, input, strangers), threshold});
  }
  return rates;
}

}  // namespace

std::vector<std::int64_t> equal_pictures(const torch::Tensor& pictures) {
  std::map<Hash128, std::int64_t> first;
  std::vector<std::int64_t> same;
  for (std::int64_t i = 0; i < pictures.size(0); ++i) {
    const torch::Tensor picture = pictures[i].cpu().contiguous();
    same.push_back(
        first
            .try_emplace(xxh128({static_cast<const std::byte*>(picture.const_data_ptr()), picture.nbytes()}),
                         i)
            .first->second);
  }
  return same;
}

LinkageResult measure_linkage(const LinkageInput& input) {
  const Rankings rankings = rank_mates(input);
  LinkageResult result;
  result.same_image = summarise(rankings.same_image, input);
  result.same_identity = summarise(rankings.same_identity, input);
  result.verification = verification_rates(rankings, input);
  result.own_histogram = coarse(rankings.own);
  result.mated_histogram = coarse(rankings.mated);
  result.other_histogram = coarse(rankings.others);
  return result;
}

}  // namespace facemae
