#pragma once
// Utility beside leakage: what `facemae evaluate` measured, as a table of the audit's report.
#include <optional>
#include <string>
#include <vector>

#include "evaluation/report/report.h"
#include "evaluation/statistics/attack_figure.h"

namespace facemae {

/// One row for each set of pairs in each file. Arguments are NAME=FILE, with results of `facemae evaluate --json`.
/// Throws ConfigError for anything else.
Report::Table utility_table(const std::vector<std::string>& arguments);

/// "accuracy_difference_to_plain", as policies name it: the mean accuracy of the sets of the argument named "release" less
/// that of the one named "plain". Without an interval, since folds say nothing of other seeds. Nothing unless both are
/// there, with the same number of sets whose accuracy was measured.
std::optional<AttackFigure> difference_to_plain(const std::vector<std::string>& arguments);

}  // namespace facemae
