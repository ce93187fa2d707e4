#include "cluster/doctor/report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "cluster/facts/host_list.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr int kSchema = 1;

const char* state_name(State state) {
  constexpr std::array kNames = {"ok", "note", "warning", "problem"};
  return kNames[static_cast<std::size_t>(state)];
}

std::vector<std::string> ids_of(const std::vector<Finding>& findings, State state, bool slow_only) {
  std::vector<std::string> ids;
  for (const auto& finding : findings)
    if (finding.state == state && (!slow_only || check_of(finding.id).slows) &&
        std::find(ids.begin(), ids.end(), finding.id) == ids.end())
      ids.push_back(finding.id);
  return ids;
}

std::string last_line(const Diagnosis& diagnosis) {
  switch (verdict(diagnosis.findings)) {
    case ExitCode::BadConfiguration:
      return "A run would not work: " + join(ids_of(diagnosis.findings, State::Problem, false), ", ") + ".";
    case ExitCode::PeerLost: {
      const auto bad = bad_nodes(diagnosis.findings);
      return bad.empty() ? "A run would not work: a rank is missing."
                         : "A run would not work with " + fold_hosts(bad) + "; nothing else is in its way.";
    }
    default:
      break;
  }
  const auto slow = ids_of(diagnosis.findings, State::Warning, true),
             all = ids_of(diagnosis.findings, State::Warning, false);
  if (!slow.empty()) return "A run would work, but slower than it could: " + join(slow, ", ") + ".";
  return all.empty() ? "A run would work." : "A run would work; look at " + join(all, ", ") + ".";
}

std::string line_of(const Finding& finding, std::size_t nodes) {
  const bool every = finding.hosts.size() >= nodes;
  std::string who;
  if (!finding.hosts.empty() && nodes > 1) who = every ? "all nodes: " : fold_hosts(finding.hosts) + ": ";
  std::string line = fmt::format("{:<9}{}  {}{}\n", state_name(finding.state), finding.id, who, finding.text);
  if (!finding.remedy.empty()) line += fmt::format("{:<9}do: {}\n", "", finding.remedy);
  return line;
}

}  // namespace

ExitCode verdict(const std::vector<Finding>& findings) {
  bool node = false;
  for (const auto& finding : findings) {
    if (finding.state != State::Problem) continue;
    if (!finding.of_node) return ExitCode::BadConfiguration;
    node = true;
  }
  return node ? ExitCode::PeerLost : ExitCode::Done;
}

std::vector<std::string> bad_nodes(const std::vector<Finding>& findings) {
  std::set<std::string> bad;
  for (const auto& finding : findings)
    if (finding.of_node) bad.insert(finding.hosts.begin(), finding.hosts.end());
  return {bad.begin(), bad.end()};
}

std::string report_text(const Diagnosis& diagnosis, bool all) {
  std::string text;
  for (const auto& finding : diagnosis.findings)
    if (all || finding.state > State::Note || !finding.remedy.empty())
      text += line_of(finding, diagnosis.nodes);
  for (const auto& one : diagnosis.measured) {
    text += fmt::format("{:<9}{}  {:.4g} {}", "measured", one.id, one.value, one.unit);
    if (!one.of.empty()) text += " of " + one.of;
    if (one.expected > 0) text += fmt::format(", {:.4g} expected", one.expected);
    text += (one.text.empty() ? "" : ": " + one.text) + "\n";
  }
  return text + last_line(diagnosis) + "\n";
}

nlohmann::ordered_json report_json(const Diagnosis& diagnosis) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array(), measured = nlohmann::ordered_json::array();
  for (const auto& finding : diagnosis.findings)
    checks.push_back({{"id", finding.id},
                      {"state", state_name(finding.state)},
                      {"hosts", finding.hosts},
                      {"found", finding.found},
                      {"wanted", finding.wanted},
                      {"text", finding.text},
                      {"do", finding.remedy}});
  for (const auto& one : diagnosis.measured)
    measured.push_back({{"id", one.id},
                        {"value", one.value},
                        {"unit", one.unit},
                        {"of", one.of},
                        {"expected", one.expected},
                        {"text", one.text}});
  return {{"schema", kSchema},
          {"code", static_cast<int>(verdict(diagnosis.findings))},
          {"verdict", last_line(diagnosis)},
          {"bad_nodes", bad_nodes(diagnosis.findings)},
          {"checks", checks},
          {"measured", measured}};
}

std::string explained(const Check& check) {
  std::string text = fmt::format("{}: {}\n", check.id, check.looks_at);
  for (const auto& [name, when] :
       {std::pair{"ok", check.ok}, std::pair{"warning", check.warning}, std::pair{"problem", check.problem}})
    if (*when != '\0') text += fmt::format("  {:<9}{}\n", name, when);
  if (*check.remedy != '\0') text += fmt::format("  {:<9}{}\n", "do", check.remedy);
  if (*check.problem != '\0')
    text += check.of_node ? "A problem on some nodes, of which others are free, is theirs: exit 75.\n"
                          : "A problem is for you to cure: exit 2.\n";
  return text;
}

std::string table_of_checks() {
  std::string table = "| id | looks at | ok | warning | problem | what to do |\n|---|---|---|---|---|---|\n";
  for (const auto& check : all_checks())
    table += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", check.id, check.looks_at, check.ok,
                         check.warning, check.problem, check.remedy);
  return table;
}

}  // namespace facemae
