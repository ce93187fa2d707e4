#pragma once
// Was a person released at all (A10)? The score of a person is that of the class that is most like him or her; people of
// the same source who were never released say what strangers score.
#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/campaign/controls.h"
#include "evaluation/campaign/searches.h"
#include "evaluation/statistics/membership.h"

namespace facemae {

/// From PersonToClass searches of one attacker, one per fold. Figures of several folds are means by their members, and
/// so are the limits of intervals: the strangers are the same people in all, so folds are not independent.
class MembershipTest {
 public:
  explicit MembershipTest(std::string attacker) : attacker_(std::move(attacker)) {}
  /// Nothing without strangers.
  void add(const Search& person_to_class, const Target& target);
  /// For the positive control, the same search where the photos of some people were released as they are.
  void add_planted(const Search& person_to_class, const Planted& planted);
  /// By the area under the curve: planted people against strangers, and people called members by lot against the others.
  std::vector<ControlResult> controls() const;
  /// Area, D_sys and rates (evaluation/statistics/membership.h); none without strangers.
  std::vector<AttackFigure> figures() const;
  /// The rates as measurements of level Membership.
  std::vector<Measurement> measurements() const;

 private:
  struct Fold {
    MembershipRates rates;
    std::vector<std::int64_t> known_as, with;  ///< of each member; with whom they are in one class
    std::int64_t people_per_class = 1;
  };
  double part_of(const Fold& fold) const;

  std::string attacker_;
  std::vector<Fold> folds_;
  std::vector<Figure> planted_, shuffled_;  ///< areas
};

}  // namespace facemae
