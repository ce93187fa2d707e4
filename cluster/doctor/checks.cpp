#include "cluster/doctor/checks.h"

#include <algorithm>
#include <map>

#include "core/kinds.h"

namespace facemae {
namespace {

std::vector<std::string> each_once(const std::vector<std::string>& hosts) {
  std::vector<std::string> once;
  for (const auto& host : hosts)
    if (std::find(once.begin(), once.end(), host) == once.end()) once.push_back(host);
  return once;
}

/// For names_of() and row_of().
struct NamedCheck {
  std::string name, help;
  Check check;
};

}  // namespace

bool Gathered::multi_node() const { return nodes().size() > 1; }

std::vector<std::vector<const Facts*>> Gathered::nodes() const {
  std::map<int, std::vector<const Facts*>> by_node;
  for (const Facts& rank : ranks) by_node[rank.node].push_back(&rank);
  std::vector<std::vector<const Facts*>> nodes;
  nodes.reserve(by_node.size());
  for (auto& [node, of_node] : by_node) nodes.push_back(std::move(of_node));
  return nodes;
}

Finding& Lines::warn(std::vector<std::string> hosts, const std::string& text, const std::string& remedy) {
  return add(State::Warning, std::move(hosts), text, remedy.empty() ? remedy_ : remedy);
}

Finding& Lines::problem(std::vector<std::string> hosts, const std::string& text, const std::string& remedy) {
  return add(State::Problem, std::move(hosts), text, remedy.empty() ? remedy_ : remedy);
}

Finding& Lines::add(State state, std::vector<std::string> hosts, const std::string& text,
                    const std::string& remedy) {
  for (auto& known : findings_)
    if (known.state == state && known.text == text && known.remedy == remedy) {
      for (const auto& host : hosts)
        if (std::find(known.hosts.begin(), known.hosts.end(), host) == known.hosts.end())
          known.hosts.push_back(host);
      return known;
    }
  Finding finding;
  finding.id = id_;
  finding.state = state;
  finding.hosts = std::move(hosts);
  finding.text = text;
  finding.remedy = remedy;
  return findings_.emplace_back(std::move(finding));
}

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (const auto& rows : {mpi_checks(), cpu_checks(), memory_checks(), gpu_checks(), network_checks(),
                           folder_checks(), storage_checks(), slurm_checks(), software_checks()})
    all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

Check check_of(const std::string& id) {
  std::vector<NamedCheck> rows;
  for (const auto& check : all_checks()) rows.push_back({check.id, check.looks_at, check});
  return row_of(rows, id, "explaining a check").check;
}

std::vector<Finding> judge(const Gathered& all) {
  std::vector<Finding> findings;
  std::vector<std::string> every;
  for (const Facts& rank : all.ranks) every.push_back(rank.host);
  every = each_once(every);
  for (const auto& check : all_checks()) {
    Lines lines(check.id, check.remedy);
    check.judge(all, lines);
    auto found = lines.take();
    if (std::any_of(found.begin(), found.end(), [](const Finding& one) { return one.state > State::Note; }))
      std::erase_if(found, [](const Finding& one) { return one.state == State::Ok; });
    for (auto& finding : found) {
      finding.hosts = each_once(finding.hosts);
      const bool some = !finding.hosts.empty() && finding.hosts.size() < every.size() + all.absent.size();
      finding.of_node = finding.of_node || (check.of_node && finding.state == State::Problem && some);
      if (finding.hosts.empty() && !finding.of_node) finding.hosts = every;
      findings.push_back(std::move(finding));
    }
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.state > b.state; });
  return findings;
}

}  // namespace facemae
