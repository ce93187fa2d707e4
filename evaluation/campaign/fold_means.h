#pragma once
// Figures of several folds as one.
#include <vector>

#include "evaluation/statistics/attack_figure.h"

namespace facemae {

/// folds[f] are the figures of one fold; a figure that not all of them have is left out. Means by their people, and so
/// are the limits of intervals, which is wider than independent folds would need: strangers and attackers may be the
/// same in all. People and pairs add up, non-members are those of the first fold. {} of no folds.
std::vector<AttackFigure> mean_of_folds(const std::vector<std::vector<AttackFigure>>& folds);

}  // namespace facemae
