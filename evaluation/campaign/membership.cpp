#include "evaluation/campaign/membership.h"

#include <torch/torch.h>

#include <algorithm>

#include "evaluation/campaign/fold_means.h"

namespace facemae {
namespace {

constexpr const char* kAttack = "A10";

void add_part(Figure& sum, const Figure& figure, double part) {
  sum.value += part * figure.value;
  sum.low += part * figure.low;
  sum.high += part * figure.high;
}

}  // namespace

void MembershipTest::add(const Search& person_to_class, const Target& target) {
  if (target.members == 0 || target.members == target.real.people_count) return;
  const auto best = std::get<0>(person_to_class.scores.max(1)).contiguous();
  std::vector<double> members, strangers;
  for (std::int64_t p = 0; p < target.real.people_count; ++p)
    (p < target.members ? members : strangers).push_back(best.const_data_ptr<float>()[p]);
  folds_.push_back({.rates = membership_rates(members, strangers, /*seed=*/folds_.size()),
                    .known_as = {target.known_as.begin(), target.known_as.begin() + target.members},
                    .people_per_class = std::max<std::int64_t>(
                        1, static_cast<std::int64_t>(target.links.people_of_class.front().size()))});
}

double MembershipTest::part_of(const Fold& fold) const {
  std::int64_t members = 0;
  for (const Fold& each : folds_) members += each.rates.members;
  return static_cast<double>(fold.rates.members) / static_cast<double>(members);
}

std::vector<AttackFigure> MembershipTest::figures() const {
  std::vector<std::vector<AttackFigure>> folds;
  for (const Fold& fold : folds_) folds.push_back(figures_of(fold.rates, kAttack, attacker_));
  return mean_of_folds(folds);
}

std::vector<Measurement> MembershipTest::measurements() const {
  std::vector<Measurement> all;
  for (const Fold& fold : folds_) {
    const auto own = measurements_of(fold.rates, kAttack, attacker_);
    if (all.empty()) {
      all = own;
      for (Measurement& row : all) {
        row.found = {};
        row.tallies.clear();
        row.people_per_class = fold.people_per_class;
        row.nonmembers = fold.rates.nonmembers;
      }
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      add_part(all[i].found, own[i].found, part_of(fold));
      for (const Tally& tally : own[i].tallies)
        all[i].tallies.push_back(
            {fold.known_as[static_cast<std::size_t>(tally.person)], tally.hits, tally.trials});
    }
  }
  return all;
}

}  // namespace facemae
