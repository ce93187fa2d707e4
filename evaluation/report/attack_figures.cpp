#include "evaluation/report/attack_figures.h"

#include "core/log.h"

namespace facemae {

nlohmann::json to_json(std::span<const AttackFigure> figures) {
  auto all = nlohmann::json::array();
  for (const AttackFigure& figure : figures) {
    nlohmann::json one{{"metric", figure.metric},     {"attack", figure.attack},
                       {"attacker", figure.attacker}, {"value", figure.found.value},
                       {"low", figure.found.low},     {"high", figure.found.high},
                       {"people", figure.people},     {"nonmembers", figure.nonmembers}};
    if (!figure.of.empty()) one["of"] = figure.of;
    if (figure.fpr > 0) one["fpr"] = figure.fpr;
    if (figure.far > 0) one["far"] = figure.far;
    if (figure.person_pairs > 0) one["person_pairs"] = figure.person_pairs;
    all.push_back(std::move(one));
  }
  return all;
}

Report::Table figures_table(std::span<const AttackFigure> figures) {
  Report::Table table{
      .heading = "Membership, linkability of scores, and attributes",
      .note =
          "Chance: an area of 0.5, a rate as high as its false-positive or false-accept rate, a residual risk of 0. Intervals are by person. "
          "D_sys is 0 where scores tell nothing, and above it by chance where people are few.",
      .columns = {"attack", "attacker", "figure", "value", "95 % interval", "people", "others"}};
  for (const AttackFigure& figure : figures) {
    std::string name = figure.metric;
    if (figure.fpr > 0) name += fmt::format(" at {:g} % false positives", 100 * figure.fpr);
    if (figure.far > 0) name += fmt::format(" at {:g} % false accepts", 100 * figure.far);
    if (!figure.of.empty()) name += ": " + figure.of;
    table.rows.push_back({figure.attack, figure.attacker, name, fmt::format("{:.3f}", figure.found.value),
                          fmt::format("{:.3f} to {:.3f}", figure.found.low, figure.found.high),
                          std::to_string(figure.people),
                          figure.nonmembers > 0     ? std::to_string(figure.nonmembers)
                          : figure.person_pairs > 0 ? fmt::format("{} pairs", figure.person_pairs)
                                                    : ""});
  }
  return table;
}

}  // namespace facemae
