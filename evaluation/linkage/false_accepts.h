#pragma once
// Which people are taken for each other most: the strongest scores between strangers, from which thresholds at a fixed
// false-accept rate are found anew for every draw of people.
#include <cstdint>
#include <span>
#include <vector>

#include "evaluation/linkage/linkage.h"

namespace facemae {

struct FalseAccepts {
  struct Score {
    float score;
    std::int32_t probe, gallery;  ///< people: places in probes_of and images_of
  };
  std::vector<Score> strongest;  ///< from high to low
  double share = 1;              ///< of those above the lowest that are in the list, drawn at random
  std::vector<double> probes_of, images_of;   ///< of each person
  std::vector<std::int64_t> person_of_probe;  ///< [P]
};

/// Scores of at least `lowest`, of which there are `count`; 200,000 of them are kept at most. One more pass over the
/// products of probes and gallery, in the memory of rank_mates().
FalseAccepts false_accepts(const LinkageInput& input, float lowest, std::uint64_t count);

/// The lowest threshold that lets in at most `far` of the pairs of strangers, each pair (a, b) counted w_a w_b times;
/// the lowest score of the list when all of it is let in; NaN when no pair counts.
double threshold_at(const FalseAccepts& strangers, double far, std::span<const double> weights);

}  // namespace facemae
