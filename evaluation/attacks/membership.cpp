#include "evaluation/attacks/membership.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

constexpr double kRates[] = {0.05, 0.01};
constexpr double kFewestFalsePositives = 10;

std::vector<double> histogram(std::span<const double> scores, double low, double high, std::size_t bins) {
  std::vector<double> shares(bins);
  for (const double score : scores) {
    const auto bin = static_cast<std::size_t>((score - low) / (high - low) * static_cast<double>(bins));
    shares[std::min(bin, bins - 1)] += 1 / static_cast<double>(scores.size());
  }
  return shares;
}

}  // namespace

double auc_of(std::span<const double> members, std::span<const double> strangers) {
  std::vector<double> sorted(strangers.begin(), strangers.end());
  std::sort(sorted.begin(), sorted.end());
  double wins = 0;
  for (const double score : members) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), score);
    wins += static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
  }
  return wins / (static_cast<double>(members.size()) * static_cast<double>(strangers.size()));
}

double dsys_of(std::span<const double> members, std::span<const double> strangers) {
  const auto [member_low, member_high] = std::minmax_element(members.begin(), members.end());
  const auto [stranger_low, stranger_high] = std::minmax_element(strangers.begin(), strangers.end());
  const double low = std::min(*member_low, *stranger_low), high = std::max(*member_high, *stranger_high);
  if (!(high > low)) return 0;
  const std::size_t bins = std::clamp<std::size_t>(std::min(members.size(), strangers.size()) / 5, 1, 100);
  const auto of_members = histogram(members, low, high, bins),
             of_strangers = histogram(strangers, low, high, bins);
  double sum = 0;
  for (std::size_t b = 0; b < bins; ++b)
    if (of_members[b] > of_strangers[b])  // 2 LR / (1 + LR) - 1 = (m - s) / (m + s)
      sum += of_members[b] * (of_members[b] - of_strangers[b]) / (of_members[b] + of_strangers[b]);
  return sum;
}

void MembershipTest::add(const Search& person_to_class, const Target& target) {
  if (target.members == target.real.people_count) return;
  const auto best = std::get<0>(person_to_class.scores.max(1)).contiguous();
  Fold fold;
  for (std::int64_t p = 0; p < target.real.people_count; ++p)
    (p < target.members ? fold.members : fold.strangers).push_back(best.const_data_ptr<float>()[p]);
  fold.known_as.assign(target.known_as.begin(), target.known_as.begin() + target.members);
  fold.people_per_class =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(target.links.people_of_class.front().size()));
  folds_.push_back(std::move(fold));
}

std::optional<Membership> MembershipTest::result() const {
  if (folds_.empty()) return std::nullopt;
  Membership result{.attacker = attacker_,
                    .strangers = static_cast<std::int64_t>(folds_.front().strangers.size())};
  for (const Fold& fold : folds_) result.people += static_cast<std::int64_t>(fold.members.size());
  for (const Fold& fold : folds_) {
    const double weight = static_cast<double>(fold.members.size()) / static_cast<double>(result.people);
    result.auc += weight * auc_of(fold.members, fold.strangers);
    result.dsys += weight * dsys_of(fold.members, fold.strangers);
  }
  return result;
}

std::vector<Measurement> MembershipTest::at_fixed_rates() const {
  std::vector<Measurement> all;
  for (const double rate : kRates) {
    Measurement row{.attack = "A10",
                    .attacker = fmt::format("{}, {:.0f} % false positives", attacker_, 100 * rate),
                    .level = Level::Membership,
                    .chance = rate};
    std::vector<double> hits, trials;
    std::vector<std::int64_t> people;
    for (const Fold& fold : folds_) {
      const double allowed = std::floor(rate * static_cast<double>(fold.strangers.size()) + 1e-9);
      if (allowed < kFewestFalsePositives) continue;
      auto sorted = fold.strangers;
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      const double threshold = sorted[static_cast<std::size_t>(allowed)];  // `allowed` strangers lie above
      row.people_per_class = fold.people_per_class;
      for (std::size_t i = 0; i < fold.members.size(); ++i) {
        row.tallies.push_back({fold.known_as[i], fold.members[i] > threshold ? 1.0 : 0.0, 1});
        hits.push_back(row.tallies.back().hits);
        trials.push_back(1);
        people.push_back(fold.known_as[i]);
      }
    }
    if (row.tallies.empty()) continue;
    row.found = interval_by_person(hits, trials, people);
    all.push_back(std::move(row));
  }
  return all;
}

}  // namespace facemae
