#pragma once
// What an attack found that is no count of people: an area under a curve, a rate at a fixed error, a residual risk.
#include <cstdint>
#include <string>

#include "evaluation/statistics/figure.h"

namespace facemae {

/// One entry of "metrics" in report.json, named as policies name it.
struct AttackFigure {
  std::string metric;    ///< "membership_auc", "membership_tpr", "dsys", "attribute_residual_risk", ...
  std::string attack;    ///< "A11"
  std::string attacker;  ///< "relative to 2 reference models"
  std::string of;        ///< "" or what it is a figure of: an attribute
  double fpr = 0;        ///< false-positive rate that it holds at; 0: none
  Figure found;          ///< with the 95 % interval by person
  std::int64_t people = 0, nonmembers = 0;
};

}  // namespace facemae
