#pragma once
// Can it be verified that a class is of a person? Scores of the right pairs of a person and a class beside those of all
// other pairs.
#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/campaign/searches.h"
#include "evaluation/statistics/attack_figure.h"

namespace facemae {

/// A threshold is told where it rests on as many false accepts.
inline constexpr double kFewestFalseAccepts = 30;

/// From PersonToClass searches of one attacker, one per fold; people who were never released are left out.
class LinkTest {
 public:
  LinkTest(std::string attack, std::string attacker)
      : attack_(std::move(attack)), attacker_(std::move(attacker)) {}

  /// Of a release of more than 500 classes, 500 that are spread over them, and their people.
  void add(const Search& person_to_class, const Target& target);

  /// "tar_at_far", the share of the right pairs that pass the threshold which the share `far` of the other pairs pass,
  /// for 1 % and 0.1 % where there are kFewestFalseAccepts; and "dsys" (d_sys in statistics/membership.h). Intervals
  /// draw the groups of people that are one class, and with them their thresholds (two_way.h). Folds are averaged
  /// (fold_means.h).
  std::vector<AttackFigure> figures() const;

 private:
  std::string attack_, attacker_;
  std::vector<std::vector<AttackFigure>> folds_;
};

}  // namespace facemae
