#pragma once
// Utility beside leakage: what `facemae evaluate` measured, as a table of the audit's report.
#include <string>
#include <vector>

#include "evaluation/report/report.h"

namespace facemae {

/// One row for each set of pairs in each file. Arguments are NAME=FILE, with results of `facemae evaluate --json`.
/// Throws ConfigError for anything else.
Report::Table utility_table(const std::vector<std::string>& arguments);

}  // namespace facemae
