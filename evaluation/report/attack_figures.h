#pragma once
// Figures of attacks that are no counts of people, as "metrics" of report.json and as a table of the page.
#include <nlohmann/json.hpp>
#include <span>

#include "evaluation/report/report.h"
#include "evaluation/statistics/attack_figure.h"

namespace facemae {

/// [{metric, attack, attacker, of, fpr, value, low, high, people, nonmembers}]; `of` and `fpr` where there is one.
nlohmann::json to_json(std::span<const AttackFigure> figures);
Report::Table figures_table(std::span<const AttackFigure> figures);

}  // namespace facemae
