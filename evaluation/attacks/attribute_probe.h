#pragma once
// Can attributes of people be read off released classes? A ridge probe, and the residual risk after Anonymeter
// (Giomi et al., PETS 2023): what the release adds to guessing.
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/statistics/attack_figure.h"

namespace facemae {

/// Numbers that are known of people; NaN where one is not.
struct Attributes {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;  ///< [attribute][person]
};

/// classes [C, D] features of released classes (means over their pictures); people_of_class [C]. For each attribute a
/// yes or no is guessed: the larger of two values, or more than the median of the attacker's people. The classes are
/// halved by the seed; the probe is fitted on one half (its ridge by leave-one-out on that half) and tried on the
/// other, both ways. The risk is (r_attack - r_control) / (1 - r_control): r_attack is how often the guess for a class
/// is true of its people, r_control how often the same guess is true of people who are not in it. About 0 (also below)
/// when nothing is learnt. One metric "attribute_residual_risk" for each attribute that both halves of the people show
/// both ways; bootstrap over people, never narrower than the interval of r_attack alone. Throws ConfigError with fewer
/// than 4 classes.
std::vector<AttackFigure> attribute_risks(const torch::Tensor& classes,
                                          const std::vector<std::vector<std::int64_t>>& people_of_class,
                                          const Attributes& attributes, const std::string& attacker,
                                          std::uint64_t seed);

/// Means of unit features [P, D] over the pictures of each class: [classes, D].
torch::Tensor class_means(const torch::Tensor& features, const std::vector<std::int64_t>& classes,
                          std::int64_t class_count);

}  // namespace facemae
