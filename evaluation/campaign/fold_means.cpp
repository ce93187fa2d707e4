#include "evaluation/campaign/fold_means.h"

#include <algorithm>

namespace facemae {
namespace {

const AttackFigure* same_in(const std::vector<AttackFigure>& fold, const AttackFigure& figure) {
  const auto place = std::find_if(fold.begin(), fold.end(), [&](const AttackFigure& other) {
    return other.metric == figure.metric && other.attacker == figure.attacker && other.of == figure.of &&
           other.fpr == figure.fpr && other.far == figure.far;
  });
  return place == fold.end() ? nullptr : &*place;
}

}  // namespace

std::vector<AttackFigure> mean_of_folds(const std::vector<std::vector<AttackFigure>>& folds) {
  std::vector<AttackFigure> all;
  if (folds.empty()) return all;
  for (const AttackFigure& first : folds.front()) {
    std::vector<const AttackFigure*> parts;
    for (const auto& fold : folds) parts.push_back(same_in(fold, first));
    if (std::count(parts.begin(), parts.end(), nullptr) > 0) continue;
    AttackFigure mean = first;
    mean.found = {};
    mean.people = mean.person_pairs = 0;
    for (const AttackFigure* part : parts) mean.people += part->people;
    for (const AttackFigure* part : parts) {
      const double share = static_cast<double>(part->people) / static_cast<double>(mean.people);
      mean.found.value += share * part->found.value;
      mean.found.low += share * part->found.low;
      mean.found.high += share * part->found.high;
      mean.person_pairs += part->person_pairs;
    }
    all.push_back(std::move(mean));
  }
  return all;
}

}  // namespace facemae
