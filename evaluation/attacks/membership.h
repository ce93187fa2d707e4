#pragma once
// Was a person released at all (A10)? The score of a person is that of the class that is most like him or her; people of
// the same source who were never released say what strangers score.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluation/attacks/searches.h"

namespace facemae {

struct Membership {
  std::string attacker;  ///< whose scores: "A1 closed-form channel, colour 14x14, means"
  double auc = 0;        ///< of telling released people from strangers; 0.5 is chance
  double dsys = 0;       ///< 0 unlinkable to 1 (Gomez-Barrero et al. 2018)
  std::int64_t people = 0, strangers = 0;
};

/// From PersonToClass searches of one attacker, one per fold. `at` gets, for false-positive rates of 5 and 1 % that
/// rest on at least 10 strangers each, a Measurement of level Membership whose chance is that rate.
class MembershipTest {
 public:
  explicit MembershipTest(std::string attacker) : attacker_(std::move(attacker)) {}
  /// Nothing without strangers.
  void add(const Search& person_to_class, const Target& target);
  std::optional<Membership> result() const;
  std::vector<Measurement> at_fixed_rates() const;

 private:
  struct Fold {
    std::vector<double> members, strangers;
    std::vector<std::int64_t> known_as;
    std::int64_t people_per_class = 1;
  };
  std::string attacker_;
  std::vector<Fold> folds_;
};

/// Share of pairs in which the member scores higher, ties half (Mann and Whitney).
double auc_of(std::span<const double> members, std::span<const double> strangers);
/// D(s) = 2 LR / (1 + LR) - 1 where the likelihood ratio LR is above 1, else 0, averaged over members' scores; equal
/// priors. LR from histograms of 100 bins, of fewer where there are fewer than 500 scores: five a bin at least.
double dsys_of(std::span<const double> members, std::span<const double> strangers);

}  // namespace facemae
