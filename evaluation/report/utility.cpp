#include "evaluation/report/utility.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files/files.h"
#include "core/log.h"

namespace facemae {
namespace {

/// A number of `set` as text; "-" for what could not be measured (JSON has no NaN, so it is null there).
std::string figure_or_dash(const nlohmann::json& set, const char* name, double scale, int digits,
                           const char* unit) {
  const auto found = set.find(name);
  if (found == set.end() || !found->is_number()) return "-";
  return fmt::format("{:.{}f}{}", scale * found->get<double>(), digits, unit);
}

}  // namespace

Report::Table utility_table(const std::vector<std::string>& arguments) {
  Report::Table table{
      .heading = "Utility: verification of held-out people",
      .note = "Recognition trained on each set, tested on real pairs that no training has seen.",
      .columns = {"trained on", "accuracy", "std over folds", "AUC", "EER"},
      .rows = {}};
  for (const auto& argument : arguments) {
    const auto equals = argument.find('=');
    nlohmann::json result;
    if (equals != std::string::npos)
      result = nlohmann::json::parse(read_file(argument.substr(equals + 1)), nullptr, false);
    if (!result.is_object() || !result.contains("sets") || !result["sets"].is_array() ||
        result["sets"].empty())
      throw ConfigError("--utility " + argument +
                        " is not NAME=FILE with a file that `facemae evaluate --json` wrote");
    for (const auto& set : result["sets"])
      table.rows.push_back({argument.substr(0, equals), figure_or_dash(set, "accuracy", 100, 2, " %"),
                            figure_or_dash(set, "accuracy_std", 100, 2, ""),
                            figure_or_dash(set, "auc", 1, 4, ""), figure_or_dash(set, "eer", 100, 2, " %")});
  }
  return table;
}

}  // namespace facemae
