#include "evaluation/report/utility.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

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

/// NAME, and the sets of FILE.
std::pair<std::string, nlohmann::json> named_sets(const std::string& argument) {
  const auto equals = argument.find('=');
  nlohmann::json result;
  if (equals != std::string::npos)
    result = nlohmann::json::parse(read_file(argument.substr(equals + 1)), nullptr, false);
  if (!result.is_object() || !result.contains("sets") || !result["sets"].is_array() || result["sets"].empty())
    throw ConfigError("--utility " + argument +
                      " is not NAME=FILE with a file that `facemae evaluate --json` wrote");
  return {argument.substr(0, equals), result["sets"]};
}

}  // namespace

Report::Table utility_table(const std::vector<std::string>& arguments) {
  Report::Table table{
      .heading = "Utility: verification of held-out people",
      .note = "Recognition trained on each set, tested on real pairs that no training has seen.",
      .columns = {"trained on", "accuracy", "std over folds", "AUC", "EER"},
      .rows = {}};
  for (const auto& argument : arguments) {
    const auto [name, sets] = named_sets(argument);
    for (const auto& set : sets)
      table.rows.push_back({name, figure_or_dash(set, "accuracy", 100, 2, " %"),
                            figure_or_dash(set, "accuracy_std", 100, 2, ""),
                            figure_or_dash(set, "auc", 1, 4, ""), figure_or_dash(set, "eer", 100, 2, " %")});
  }
  return table;
}

std::optional<AttackFigure> difference_to_plain(const std::vector<std::string>& arguments) {
  std::map<std::string, std::vector<double>> accuracies;
  for (const auto& argument : arguments) {
    const auto [name, sets] = named_sets(argument);
    for (const auto& set : sets)
      if (const auto found = set.find("accuracy"); found != set.end() && found->is_number())
        accuracies[name].push_back(found->get<double>());
  }
  const auto &plain = accuracies["plain"], &release = accuracies["release"];
  if (plain.empty() || plain.size() != release.size()) return std::nullopt;
  double difference = 0;
  for (std::size_t i = 0; i < plain.size(); ++i)
    difference += (release[i] - plain[i]) / static_cast<double>(plain.size());
  return AttackFigure{.metric = "accuracy_difference_to_plain",
                      .attacker = "trained on the release, less trained on a plain one",
                      .found = {difference, difference, difference}};
}

}  // namespace facemae
