#include "evaluation/campaign/membership.h"

#include <torch/torch.h>

#include <algorithm>
#include <span>

#include "core/random/keys.h"
#include "evaluation/campaign/fold_means.h"

namespace facemae {
namespace {

constexpr const char* kAttack = "A10";
constexpr std::uint64_t kMixes = 5, kMixStage = 6;
constexpr double kEvenChance = 0.5;  ///< the area under the curve of who guesses

void add_part(Figure& sum, const Figure& figure, double part) {
  sum.value += part * figure.value;
  sum.low += part * figure.low;
  sum.high += part * figure.high;
}

/// There are strangers.
bool can_be_told(const Target& target) {
  return target.members > 0 && target.members < target.real.people_count;
}

/// [people] of each the score of the class that is most like them.
std::vector<double> best_scores(const Search& person_to_class) {
  const auto best = std::get<0>(person_to_class.scores.max(1)).contiguous();
  return {best.const_data_ptr<float>(), best.const_data_ptr<float>() + best.numel()};
}

}  // namespace

void MembershipTest::add(const Search& person_to_class, const Target& target) {
  if (!can_be_told(target)) return;
  const auto best = best_scores(person_to_class);
  const auto first = first_of_class(target);
  Fold fold{.rates = {},
            .known_as = {target.known_as.begin(), target.known_as.begin() + target.members},
            .with = {},
            .people_per_class = std::max<std::int64_t>(
                1, static_cast<std::int64_t>(target.links.people_of_class.front().size()))};
  for (std::int64_t p = 0; p < target.members; ++p)
    fold.with.push_back(target.known_as[first[static_cast<std::size_t>(p)]]);
  const std::span<const double> all = best;
  const auto members = static_cast<std::size_t>(target.members);
  fold.rates = membership_rates(all.first(members), all.subspan(members), /*seed=*/folds_.size(), fold.with);
  folds_.push_back(std::move(fold));
  // Whoever is called a member by lot cannot be told from the others.
  for (std::uint64_t shuffle = 0; shuffle < kMixes; ++shuffle) {
    auto mixed = best;
    Draws draws(key_of(folds_.size(), Purpose::Folds, kMixStage, shuffle));
    for (std::size_t i = mixed.size(); i > 1; --i) std::swap(mixed[i - 1], mixed[draws.below(i)]);
    const std::span<const double> drawn = mixed;
    shuffled_.push_back(membership_rates(drawn.first(members), drawn.subspan(members), shuffle).auc);
  }
}

void MembershipTest::add_planted(const Search& person_to_class, const Planted& planted) {
  if (!can_be_told(planted.target)) return;
  const auto best = best_scores(person_to_class);
  std::vector<double> members, strangers;
  for (std::size_t p = 0; p < best.size(); ++p) {
    if (planted.people[p]) members.push_back(best[p]);
    if (static_cast<std::int64_t>(p) >= planted.target.members) strangers.push_back(best[p]);
  }
  if (!members.empty()) planted_.push_back(membership_rates(members, strangers, /*seed=*/0).auc);
}

std::vector<ControlResult> MembershipTest::controls() const {
  std::vector<ControlResult> all;
  const auto add = [&](const std::vector<Figure>& areas, const char* control, bool positive, double limit) {
    if (areas.empty()) return;
    Figure mean{0, 0, 0};
    for (const Figure& area : areas) add_part(mean, area, 1 / static_cast<double>(areas.size()));
    all.push_back({.attack = kAttack,
                   .attacker = attacker_,
                   .control = control,
                   .positive = positive,
                   .found = mean,
                   .limit = limit,
                   .works = positive ? mean.value >= limit : mean.low <= limit && limit <= mean.high});
  };
  add(planted_, kPlanted, true, kPlantedLimit);
  add(shuffled_, kShuffled, false, kEvenChance);
  return all;
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
        all[i].tallies.push_back({fold.known_as[static_cast<std::size_t>(tally.person)], tally.hits,
                                  tally.trials, fold.with[static_cast<std::size_t>(tally.person)]});
    }
  }
  return all;
}

}  // namespace facemae
