#pragma once
// What an attacker's evidence says at each level: scores of everybody who is looked for against all candidates.
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/campaign/target.h"
#include "evaluation/linkage/retrieval.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

struct Search {
  Level level = Level::PersonToClass;
  std::string way;                               ///< how pictures became classes: "nearest", "means", "sums"
  torch::Tensor scores;                          ///< [probes, candidates] float32, CPU
  std::vector<std::vector<std::int64_t>> right;  ///< of each probe; without any it is not counted
  std::vector<std::int64_t> person;              ///< of each probe; of a blend the first of its class
};

/// All levels but OwnPicture and Membership. Two ways from features, since which one is stronger depends on the
/// release:
///   nearest: the mean over the probe's pictures of the best score among the candidate's;
///   means:   the product of means (of a class, of a person), each side centred on its own mean and of norm 1.
/// From by_person: sums of the evidence over a class. Probes of PersonToClass are all people, those who were never
/// released without a right answer. Memory: [P, people], [N, classes], and 64 MiB.
std::vector<Search> searches_of(const Evidence& evidence, const Target& target);

/// Where the best of `right` stands among scores; scores within 1e-6 (1e-5 of large ones) are ties.
Standing standing_of(const torch::Tensor& scores, const std::vector<std::int64_t>& right);

}  // namespace facemae
