#include "evaluation/statistics/membership.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

constexpr double kFalsePositiveRates[] = {0.05, 0.01, 0.001};
constexpr int kMembershipDraws = 1000;
constexpr std::size_t kMostScoreBins = 100, kScoresOfABin = 10;

using PeopleScores = std::vector<double>;

PeopleScores ascending_scores(std::span<const double> scores) {
  PeopleScores all(scores.begin(), scores.end());
  std::sort(all.begin(), all.end());
  return all;
}

/// Both ascending. Mann and Whitney's statistic, by one pass.
double mann_whitney(const PeopleScores& members, const PeopleScores& nonmembers) {
  double below = 0;
  std::size_t less = 0, level = 0;
  for (const double score : members) {
    while (less < nonmembers.size() && nonmembers[less] < score) ++less;
    level = std::max(level, less);
    while (level < nonmembers.size() && nonmembers[level] <= score) ++level;
    below += static_cast<double>(less) + 0.5 * static_cast<double>(level - less);
  }
  return below / (static_cast<double>(members.size()) * static_cast<double>(nonmembers.size()));
}

/// Who is called a member: scores above `score`, and those at it with a probability that makes the false-positive
/// rate exact.
struct RocThreshold {
  double score = 0, share = 0;
  double hit(double other) const { return other > score ? 1 : other == score ? share : 0; }
};

RocThreshold roc_threshold(const PeopleScores& nonmembers, double fpr) {
  const auto count = static_cast<double>(nonmembers.size());
  const double allowed = fpr * count;
  const auto place =
      static_cast<std::size_t>(std::clamp(count - std::floor(allowed + 1e-9) - 1, 0.0, count - 1));
  const double score = nonmembers[place];
  const auto [first, last] = std::equal_range(nonmembers.begin(), nonmembers.end(), score);
  const auto above = static_cast<double>(nonmembers.end() - last), level = static_cast<double>(last - first);
  return {score, std::clamp((allowed - above) / level, 0.0, 1.0)};
}

double mean_hit(const PeopleScores& members, const RocThreshold& threshold) {
  double sum = 0;
  for (const double score : members) sum += threshold.hit(score);
  return sum / static_cast<double>(members.size());
}

/// Scores of those who are drawn together.
using Units = std::vector<PeopleScores>;

Units units_of(std::span<const double> scores, std::span<const std::int64_t> together) {
  std::map<std::int64_t, PeopleScores> by_number;
  for (std::size_t i = 0; i < scores.size(); ++i)
    by_number[together.empty() ? static_cast<std::int64_t>(i) : together[i]].push_back(scores[i]);
  Units units;
  for (auto& [unused, own] : by_number) units.push_back(std::move(own));
  return units;
}

PeopleScores resampled(const Units& from, Draws& draws) {
  PeopleScores sample;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const PeopleScores& drawn = from[draws.below(from.size())];
    sample.insert(sample.end(), drawn.begin(), drawn.end());
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

/// The middle 95 % of what the draws gave, and no less than the exact middle_of of `people` where that is all that
/// says something: a rate at 0 or 1 has no spread.
Figure middle_of(double value, PeopleScores draws, double people) {
  std::sort(draws.begin(), draws.end());
  const auto at = [&](double part) {
    return draws[static_cast<std::size_t>(std::llround(part * static_cast<double>(draws.size() - 1)))];
  };
  Figure result{value, std::min(value, at(0.025)), std::max(value, at(0.975))};
  if (std::min(value, 1 - value) * people < 5) {
    const Figure exact = clopper_pearson(std::min(value, 1.0) * people, people);
    result.low = std::min(result.low, exact.low);
    result.high = std::max(result.high, exact.high);
  }
  return result;
}

void refuse_unusable(std::span<const double> members, std::span<const double> nonmembers) {
  if (members.empty() || nonmembers.empty())
    throw ConfigError(fmt::format(
        "telling members from others: {} members and {} non-members have a score, and both are needed",
        members.size(), nonmembers.size()));
  for (const auto scores : {members, nonmembers})
    if (!std::all_of(scores.begin(), scores.end(), [](double score) { return !std::isnan(score); }))
      throw DataError("telling members from others: a score is not a number: the attacker's model is broken");
}

}  // namespace

std::int64_t nonmembers_needed(double fpr) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(kFewestFalsePositives) / fpr - 1e-9));
}

MembershipRates membership_rates(std::span<const double> members, std::span<const double> nonmembers,
                                 std::uint64_t seed, std::span<const std::int64_t> together) {
  refuse_unusable(members, nonmembers);
  const PeopleScores in = ascending_scores(members), out = ascending_scores(nonmembers);
  const Units units_in = together.empty() ? units_of(in, {}) : units_of(members, together),
              units_out = units_of(out, {});
  MembershipRates rates{.members = std::ssize(in), .nonmembers = std::ssize(out)};
  for (const double fpr : kFalsePositiveRates) {
    if (rates.nonmembers < nonmembers_needed(fpr)) break;
    MembershipRate rate{.fpr = fpr};
    const RocThreshold threshold = roc_threshold(out, fpr);
    for (const double score : members) rate.hits.push_back(threshold.hit(score));
    rates.at.push_back(std::move(rate));
  }
  PeopleScores areas, linkable;
  std::vector<PeopleScores> found(rates.at.size());
  for (std::uint64_t draw = 0; draw < kMembershipDraws; ++draw) {
    Draws draws(key_of(seed, Purpose::Audit, 2, draw));
    const PeopleScores some_in = resampled(units_in, draws), some_out = resampled(units_out, draws);
    areas.push_back(mann_whitney(some_in, some_out));
    linkable.push_back(d_sys(some_in, some_out));
    for (std::size_t i = 0; i < rates.at.size(); ++i)
      found[i].push_back(mean_hit(some_in, roc_threshold(some_out, rates.at[i].fpr)));
  }
  const auto units = static_cast<double>(units_in.size());
  const double fewest = std::min(units, static_cast<double>(rates.nonmembers));
  rates.auc = middle_of(mann_whitney(in, out), std::move(areas), fewest);
  rates.dsys = middle_of(d_sys(in, out), std::move(linkable), fewest);
  for (std::size_t i = 0; i < rates.at.size(); ++i)
    rates.at[i].tpr =
        middle_of(mean_hit(in, roc_threshold(out, rates.at[i].fpr)), std::move(found[i]), units);
  return rates;
}

std::vector<double> scores_of_people(std::span<const double> scores, std::span<const std::int64_t> person,
                                     std::int64_t people) {
  std::vector<double> sums(static_cast<std::size_t>(people)), counts(sums.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    sums.at(static_cast<std::size_t>(person[i])) += scores[i];
    ++counts[static_cast<std::size_t>(person[i])];
  }
  for (std::size_t i = 0; i < sums.size(); ++i)
    sums[i] = counts[i] > 0 ? sums[i] / counts[i] : std::numeric_limits<double>::quiet_NaN();
  return sums;
}

std::size_t score_bins(std::size_t mated, std::size_t nonmated) {
  return std::clamp(std::min(mated, nonmated) / kScoresOfABin, std::size_t{2}, kMostScoreBins);
}

double d_sys(std::span<const double> mated, std::span<const double> nonmated, std::size_t bins) {
  const auto [least_in, most_in] = std::minmax_element(mated.begin(), mated.end());
  const auto [least_out, most_out] = std::minmax_element(nonmated.begin(), nonmated.end());
  const double low = std::min(*least_in, *least_out), width = std::max(*most_in, *most_out) - low;
  if (!(width > 0)) return 0;
  if (bins == 0) bins = score_bins(mated.size(), nonmated.size());
  const auto histogram = [&](std::span<const double> scores) {
    PeopleScores parts(bins);
    for (const double score : scores)
      parts[std::min(bins - 1,
                     static_cast<std::size_t>((score - low) / width * static_cast<double>(bins)))] +=
          1 / static_cast<double>(scores.size());
    return parts;
  };
  const PeopleScores in = histogram(mated), out = histogram(nonmated);
  double sum = 0;
  for (std::size_t bin = 0; bin < bins; ++bin)
    if (in[bin] > out[bin]) sum += in[bin] * (in[bin] - out[bin]) / (in[bin] + out[bin]);
  return std::min(sum, 1.0);  // above it by rounding
}

std::vector<Measurement> measurements_of(const MembershipRates& rates, const std::string& attack,
                                         const std::string& attacker) {
  std::vector<Measurement> all;
  for (const MembershipRate& rate : rates.at) {
    Measurement one{.attack = attack,
                    .attacker = fmt::format("{}, {:g} % false positives", attacker, 100 * rate.fpr),
                    .level = Level::Membership,
                    .chance = rate.fpr,
                    .found = rate.tpr};
    for (std::size_t i = 0; i < rate.hits.size(); ++i)
      one.tallies.push_back({static_cast<std::int64_t>(i), rate.hits[i], 1});
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<AttackFigure> figures_of(const MembershipRates& rates, const std::string& attack,
                                     const std::string& attacker, const std::string& rate_name) {
  const AttackFigure shared{
      .attack = attack, .attacker = attacker, .people = rates.members, .nonmembers = rates.nonmembers};
  std::vector<AttackFigure> all;
  const auto add = [&](const std::string& name, const Figure& figure, double fpr) {
    all.push_back(shared);
    all.back().metric = name;
    all.back().found = figure;
    all.back().fpr = fpr;
  };
  add("membership_auc", rates.auc, 0);
  for (const MembershipRate& rate : rates.at) add(rate_name, rate.tpr, rate.fpr);
  add("dsys", rates.dsys, 0);
  return all;
}

}  // namespace facemae
