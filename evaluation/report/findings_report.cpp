#include "evaluation/report/findings_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/log.h"
#include "core/text.h"
#include "evaluation/report/attack_figures.h"
#include "evaluation/report/html.h"
#include "evaluation/statistics/intervals.h"
#include "evaluation/statistics/maximum.h"

namespace facemae {
namespace {

std::string interval_text(const Figure& figure) {
  return std::isnan(figure.value)
             ? percent(figure.value)
             : fmt::format("{} ({} to {})", percent(figure.value), percent(figure.low), percent(figure.high));
}

std::string words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// "300 people"; of pictures and classes of a blend "12 classes of 20 people", since each is looked at as a whole.
std::string tried(const Measurement& row) {
  const bool by_class = row.level == Level::PictureToPerson || row.level == Level::ClassToPerson;
  return by_class && row.people_per_class > 1
             ? fmt::format("{} classes of {} people", people_of(row), row.people_per_class)
             : fmt::format("{} people", people_of(row));
}

/// How many people with one independent trial each would tell as much.
std::string worth(const Measurement& row) { return fmt::format("{:.0f}", people_effective(row)); }

/// What so many people could show at best: the upper limit of who is never found.
std::string best_to_show(const Measurement& row) {
  constexpr double alpha = 0.05;
  const double least =
      exact_upper(0, people_effective(row), alpha) / static_cast<double>(row.people_per_class);
  return fmt::format(
      " That is worth {} people of one independent trial each: with nobody found, they would show odds below {}.",
      worth(row), percent(least));
}

bool has_all_pairs(const Measurement& row) { return row.pairs.empty() || row.pairs == "all"; }

/// Of each attack and level, the attacker that names most often; in the order of attacks.
std::vector<const Measurement*> best_of_levels(const Findings& findings) {
  std::vector<const Measurement*> best;
  for (const Measurement& row : findings.measurements) {
    if (!row.control.empty() || !has_all_pairs(row)) continue;
    const auto same = std::find_if(best.begin(), best.end(), [&](const Measurement* other) {
      return other->attack == row.attack && other->level == row.level && other->chance == row.chance;
    });
    if (same == best.end()) {
      best.push_back(&row);
    } else if (naming_odds(row).value > naming_odds(**same).value) {
      *same = &row;
    }
  }
  std::stable_sort(best.begin(), best.end(), [](const Measurement* a, const Measurement* b) {
    return std::pair(a->attack.size(), a->attack) < std::pair(b->attack.size(), b->attack);
  });
  return best;
}

Report::Table odds_table(const Findings& findings) {
  Report::Table table{
      .heading = "How often does an attacker name a person rightly?",
      .note =
          "Naming odds: how often the right answer comes first, divided by the people in a class. For each attack and "
          "level its strongest variant, learnt from all pairs; 95 % interval by person. The maximum over all is what "
          "this release gives away to these attackers: " +
          headline_text(findings),
      .columns = {"attack", "level", "naming odds", "found", "chance", "people in a class", "tried",
                  "worth people"}};
  for (const Measurement* row : best_of_levels(findings))
    table.rows.push_back({row->attack + " " + row->attacker, words(name_of(row->level)),
                          interval_text(naming_odds(*row)), interval_text(row->found), percent(row->chance),
                          std::to_string(row->people_per_class), tried(*row), worth(*row)});
  return table;
}

Report::Table controls_table(const Findings& findings) {
  Report::Table table{
      .heading = "Do the attackers work?",
      .note =
          "Positive controls must be found, negative ones only by chance. What an attacker misses "
          "whose control fails is inconclusive.",
      .columns = {"attack", "control", "found", "limit", "works"}};
  for (const ControlResult& control : findings.controls)
    table.rows.push_back({control.attack + " " + control.attacker, words(control.control),
                          interval_text(control.found),
                          (control.positive ? "at least " : "chance, ") + percent(control.limit),
                          control.works ? "yes" : "NO: inconclusive"});
  return table;
}

Report::Table curve_table(const Findings& findings) {
  Report::Table table{
      .heading = "What more pairs teach",
      .note = "Attackers that learn, from fewer released pictures with their photos.",
      .columns = {"attack", "level", "pairs", "naming odds", "chance", "people", "worth as many"}};
  for (const Measurement& row : findings.measurements)
    if (row.control.empty() && !row.pairs.empty())
      table.rows.push_back({row.attack + " " + row.attacker, words(name_of(row.level)), row.pairs,
                            interval_text(naming_odds(row)), percent(row.chance), tried(row), worth(row)});
  return table;
}

Report::Table metadata_table(const std::vector<MetadataFindings::Cue>& cues) {
  Report::Table table{
      .heading = "What the files tell beside their pixels",
      .note =
          "Exact links: right ones that nothing else ties with, of cues that find more than luck does once in "
          "10,000 releases.",
      .columns = {"cue", "exact links"}};
  for (const auto& cue : cues) table.rows.push_back({cue.name, std::to_string(cue.exact_links)});
  return table;
}

nlohmann::json json_of_figure(const Figure& figure) {
  return {{"value", figure.value}, {"low", figure.low}, {"high", figure.high}};
}

/// In an order that says nothing of who is who: whoever has the photos could repeat the attack, and would learn from
/// places which of its answers were right. Those who are found together stay together, and `with` is the place of the
/// first of them.
std::vector<Tally> nameless(const std::vector<Tally>& tallies) {
  const auto before = [](const Tally& a, const Tally& b) {
    return std::pair(a.trials, a.hits) < std::pair(b.trials, b.hits);
  };
  std::map<std::int64_t, Tally> people;
  for (const Tally& tally : tallies) {
    Tally& person = people.try_emplace(tally.person, Tally{tally.person, 0, 0, tally.with}).first->second;
    person.hits += tally.hits;
    person.trials += tally.trials;
  }
  std::map<std::int64_t, std::vector<Tally>> by_unit;
  for (const auto& [unused, person] : people) by_unit[person.unit()].push_back(person);
  std::vector<std::vector<Tally>> units;
  for (auto& [unused, members] : by_unit) {
    std::sort(members.begin(), members.end(), before);
    units.push_back(std::move(members));
  }
  std::sort(units.begin(), units.end(), [&](const auto& a, const auto& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), before);
  });
  std::vector<Tally> all;
  for (const auto& members : units) {
    const auto first = std::ssize(all);
    for (const Tally& tally : members) all.push_back({std::ssize(all), tally.hits, tally.trials, first});
  }
  return all;
}

nlohmann::json json_of(const Measurement& row) {
  auto hits = nlohmann::json::array(), trials = nlohmann::json::array(), together = nlohmann::json::array();
  bool alone = true;
  for (const Tally& tally : nameless(row.tallies)) {
    hits.push_back(tally.hits);
    trials.push_back(tally.trials);
    together.push_back(tally.with);
    alone = alone && tally.with == tally.person;
  }
  nlohmann::json json = {{"attack", row.attack},
                         {"attacker", row.attacker},
                         {"level", name_of(row.level)},
                         {"control", row.control},
                         {"pairs", row.pairs},
                         {"chance", row.chance},
                         {"people_per_class", row.people_per_class},
                         {"attacker_people", row.attacker_people},
                         {"nonmembers", row.nonmembers},
                         {"found", json_of_figure(row.found)},
                         {"naming_odds", json_of_figure(naming_odds(row))},
                         {"people", people_of(row)},
                         {"people_effective", people_effective(row)},
                         {"hits", hits},
                         {"trials", trials}};
  if (!alone) json["together"] = together;
  return json;
}

}  // namespace

std::vector<Report::Table> findings_tables(const Findings& findings,
                                           const std::vector<MetadataFindings::Cue>& cues) {
  std::vector<Report::Table> tables;
  if (!findings.measurements.empty()) tables.push_back(odds_table(findings));
  if (!findings.controls.empty()) tables.push_back(controls_table(findings));
  if (!findings.figures.empty()) tables.push_back(figures_table(findings.figures));
  if (!cues.empty()) tables.push_back(metadata_table(cues));
  if (auto curve = curve_table(findings); !curve.rows.empty()) tables.push_back(std::move(curve));
  return tables;
}

void add_findings(nlohmann::json& json, const Findings& findings,
                  const std::vector<MetadataFindings::Cue>& cues) {
  json["measurements"] = nlohmann::json::array();
  for (const Measurement& row : findings.measurements) json["measurements"].push_back(json_of(row));
  json["headline"] = nullptr;
  if (const Measurement* most = strongest(findings.measurements))
    json["headline"] = {{"attack", most->attack},
                        {"attacker", most->attacker},
                        {"level", name_of(most->level)},
                        {"pairs", most->pairs},
                        {"naming_odds", json_of_figure(interval_of_maximum(findings.measurements))},
                        {"people", people_of(*most)},
                        {"people_effective", people_effective(*most)}};
  json["controls"] = nlohmann::json::array();
  for (const ControlResult& control : findings.controls)
    json["controls"].push_back({{"attack", control.attack},
                                {"attacker", control.attacker},
                                {"control", control.control},
                                {"kind", control.positive ? "positive" : "negative"},
                                {"value", control.found.value},
                                {"low", control.found.low},
                                {"high", control.found.high},
                                {"limit", control.limit},
                                {"works", control.works}});
  std::vector<AttackFigure> figures = findings.figures;
  for (const auto& cue : cues) {
    const auto links = static_cast<double>(cue.exact_links);
    figures.push_back(
        {.metric = "exact_links", .attack = "A14", .attacker = cue.name, .found = {links, links, links}});
  }
  json["metrics"] = to_json(figures);
}

std::string headline_text(const Findings& findings) {
  const Measurement* most = strongest(findings.measurements);
  if (most == nullptr) return "";
  const Figure odds = interval_of_maximum(findings.measurements);
  std::string text = fmt::format(
      "the strongest attack, {} {} ({}), names a person rightly in {} of cases (95 % {} to {}, by {}; chance {}).",
      most->attack, most->attacker, words(name_of(most->level)), percent(odds.value), percent(odds.low),
      percent(odds.high), tried(*most), percent(most->chance / static_cast<double>(most->people_per_class)));
  text += best_to_show(*most);
  const auto failed = std::count_if(findings.controls.begin(), findings.controls.end(),
                                    [](const ControlResult& control) { return !control.works; });
  if (failed > 0)
    text += fmt::format(" {} of {} controls failed: what these attackers missed is inconclusive.", failed,
                        findings.controls.size());
  return text;
}

}  // namespace facemae
