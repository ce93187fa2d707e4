#pragma once
// What an attack found that is no count of people: an area under a curve, a rate at a fixed error, a residual risk.
#include <cstdint>
#include <string>

#include "evaluation/statistics/figure.h"

namespace facemae {

/// One entry of "metrics" in report.json, named as policies name it.
struct AttackFigure {
  std::string
      metric;  ///< "membership_auc", "membership_tpr", "tar_at_far", "dsys", "attribute_residual_risk", ...
  std::string attack;    ///< "A11"
  std::string attacker;  ///< "relative to 2 reference models"
  std::string of;        ///< "" or what it is a figure of: an attribute
  double fpr = 0;        ///< false-positive rate that it holds at; 0: none
  double far = 0;        ///< false-accept rate over pairs of a person and a class; 0: none
  Figure found;          ///< with the 95 % interval by person
  std::int64_t people = 0, nonmembers = 0;
  std::int64_t person_pairs = 0;  ///< of a person and another's class, that a false-accept rate rests on
};

}  // namespace facemae
