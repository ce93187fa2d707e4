#include <cmath>

#include "core/log.h"
#include "evaluation/gate/verdict.h"

namespace facemae {
namespace {

bool is_odds(const VerdictRow& row) {
  return row.metric != "k_min" && row.metric != "exact_links" && row.block != "dp";
}

std::string figure_text(const VerdictRow& row) {
  if (std::isnan(row.figure.value)) return "-";
  if (row.limit == 0 && row.figure.high == 0 && row.attack.empty()) return "";
  if (!is_odds(row)) return fmt::format("{:g}", row.figure.value);
  return fmt::format("{:.2f} % ({:.2f} to {:.2f})", 100 * row.figure.value, 100 * row.figure.low,
                     100 * row.figure.high);
}

std::string limit_text(const VerdictRow& row) {
  if (row.attack.empty() && row.limit == 0) return "";
  const std::string limit =
      is_odds(row) ? fmt::format("{:g} %", 100 * row.limit) : fmt::format("{:g}", row.limit);
  return (row.at_least ? "min " : "max ") + limit;
}

std::string attack_text(const VerdictRow& row) {
  std::string text = row.attack;
  if (!row.pairs.empty()) text += ", " + row.pairs + (row.pairs == "all" ? "" : " pairs");
  if (!row.level.empty()) text += (text.empty() ? "" : ", ") + row.level;
  return text;
}

}  // namespace

std::string verdict_text(const GateVerdict& verdict) {
  std::string text, block;
  const auto line = [&](const std::string& metric, const std::string& attack, const std::string& figure,
                        const std::string& limit, const std::string& ruling) {
    text += fmt::format("  {:<37} {:<30} {:<26} {:<9} {}\n", metric, attack, figure, limit, ruling);
  };
  line("requirement", "attack", "figure (limits)", "limit", "verdict");
  for (const VerdictRow& row : verdict.rows) {
    if (row.block != block) text += (block = row.block) + "\n";
    line(row.metric, attack_text(row), figure_text(row), limit_text(row),
         fmt::format("{}{}{}", name_of(row.ruling), row.cause.empty() ? "" : " (" + row.cause + ")",
                     row.gate ? "" : ", shown only"));
    if (row.ruling != Ruling::Pass && !row.help.empty()) text += "      " + row.help + "\n";
  }
  return text + fmt::format("\nverdict: {}\n", name_of(verdict.ruling));
}

nlohmann::ordered_json to_json(const GateVerdict& verdict) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const VerdictRow& row : verdict.rows)
    rows.push_back({{"block", row.block},
                    {"metric", row.metric},
                    {"attack", row.attack},
                    {"pairs", row.pairs},
                    {"level", row.level},
                    {"verdict", name_of(row.ruling)},
                    {"gate", row.gate},
                    {"value", row.figure.value},
                    {"low", row.figure.low},
                    {"high", row.figure.high},
                    {"limit", row.limit},
                    {"at_least", row.at_least},
                    {"cause", row.cause},
                    {"help", row.help}});
  return {{"verdict", name_of(verdict.ruling)}, {"rows", rows}};
}

}  // namespace facemae
