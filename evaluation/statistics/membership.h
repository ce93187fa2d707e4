#pragma once
// Can members be told from people who are none? One score per person in, area under the curve, true-positive rates at
// fixed false-positive rates and D_sys out, with intervals by person.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "evaluation/statistics/attack_figure.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

/// A threshold that rests on fewer false positives is noise: with 15, the true rate is 0.56 to 1.57 times the nominal
/// one (95 %, Poisson).
inline constexpr std::int64_t kFewestFalsePositives = 15;
/// 300 for 5 %, 1,500 for 1 %, 15,000 for 0.1 %.
std::int64_t nonmembers_needed(double fpr);

struct MembershipRate {
  double fpr = 0;
  Figure tpr;  ///< includes the error of the threshold, which is drawn anew with the non-members
  std::vector<double>
      hits;  ///< of each member, in the order given; between 0 and 1 for a score at the threshold
};

struct MembershipRates {
  std::int64_t members = 0, nonmembers = 0;
  Figure auc;                      ///< P(member's score > non-member's), ties half; 0.5 is chance
  Figure dsys;                     ///< see d_sys()
  std::vector<MembershipRate> at;  ///< of 5 %, 1 % and 0.1 % those that the number of non-members allows
};

/// Scores of people, higher for members. Intervals: percentile bootstrap over people of both groups, never narrower
/// near 0 and 1 than Clopper and Pearson's of as many people. `together`: of each member a number that those of one class
/// of a blend share, who are drawn together; empty: everybody alone. Throws ConfigError without members or non-members,
/// DataError for a score that is not a number.
MembershipRates membership_rates(std::span<const double> members, std::span<const double> nonmembers,
                                 std::uint64_t seed, std::span<const std::int64_t> together = {});

/// The means of the scores of each person's photos: [people]; a person without photos has NaN.
std::vector<double> scores_of_people(std::span<const double> scores, std::span<const std::int64_t> person,
                                     std::int64_t people);

/// Gomez-Barrero et al. 2018 (TIFS 13(6)), D<->sys with equal priors: sum over bins of p(s | mated) D(s),
/// D = (LR - 1) / (LR + 1) where the likelihood ratio LR is above 1, else 0. 0 is unlinkable, 1 fully linkable. Their
/// 100 bins need many scores; fewer are taken here when a group has fewer than 1,000, one for ten scores of the
/// smaller group, at least 2, since bins that are empty by chance look like leakage.
/// `bins` 0: as many as score_bins() says.
double d_sys(std::span<const double> mated, std::span<const double> nonmated, std::size_t bins = 0);
/// For groups of these sizes.
std::size_t score_bins(std::size_t mated, std::size_t nonmated);

/// Level Membership, one for each rate: chance is the false-positive rate, and a member is a person with one trial.
std::vector<Measurement> measurements_of(const MembershipRates& rates, const std::string& attack,
                                         const std::string& attacker);
/// "membership_auc", `rate_name` (one for each rate) and "dsys".
std::vector<AttackFigure> figures_of(const MembershipRates& rates, const std::string& attack,
                                     const std::string& attacker,
                                     const std::string& rate_name = "membership_tpr");

}  // namespace facemae
