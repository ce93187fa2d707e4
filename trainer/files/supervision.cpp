#include "trainer/files/supervision.h"

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/files/lenient_json.h"
#include "trainer/files/requests.h"

namespace facemae {
namespace {

std::vector<nlohmann::json> lines_of(const Path& path) {
  std::vector<nlohmann::json> lines;
  try {
    std::istringstream in(read_plain_file(path));
    for (std::string line; std::getline(in, line);)
      if (auto json = nlohmann::json::parse(line, nullptr, false); json.is_object())
        lines.push_back(std::move(json));
  } catch (const std::exception&) {  // there is none
  }
  return lines;
}

std::vector<AccusedNode> accused(const Path& run, std::int64_t now) {
  constexpr std::int64_t kForgotten = 14 * 86400;  // as slurm/supervise.sh does
  std::map<std::string, AccusedNode> by_name;
  for (const auto& line : lines_of(run / "nodes.jsonl")) {
    const auto time = value_or(line, "time", std::int64_t{0});
    const auto name = value_or(line, "node", std::string());
    if (name.empty() || now - time > kForgotten) continue;
    AccusedNode& node = by_name[name];
    node.node = name;
    ++node.times;
    node.hard = node.hard || (line.contains("hard") && line["hard"] == true);
    if (time < node.newest) continue;
    node.newest = time;
    node.evidence = value_or(line, "evidence", std::string());
  }
  std::vector<AccusedNode> nodes;
  for (auto& [name, node] : by_name) nodes.push_back(std::move(node));
  return nodes;
}

std::string ago_text(std::int64_t then, std::int64_t now) {
  return human_seconds(static_cast<double>(std::max<std::int64_t>(0, now - then))) + " ago";
}

}  // namespace

Supervision supervision_of(const Path& run, std::int64_t now) {
  Supervision found{.end_of_job = end_of_job(run),
                    .stop = asked(run, Request::Stop),
                    .save = asked(run, Request::Save),
                    .decided_at = {},
                    .action = {},
                    .because = {},
                    .nodes = accused(run, now)};
  if (const auto decisions = lines_of(run / "supervisor.jsonl"); !decisions.empty()) {
    found.decided_at = value_or(decisions.back(), "time", std::string());
    found.action = value_or(decisions.back(), "action", std::string());
    found.because = value_or(decisions.back(), "because", std::string());
  }
  return found;
}

std::string describe(const Supervision& found, std::int64_t now) {
  std::string text;
  if (found.end_of_job && *found.end_of_job > now)
    text += fmt::format("\n  job's end    {}, in {}", utc_text(*found.end_of_job),
                        human_seconds(static_cast<double>(*found.end_of_job - now)));
  if (found.stop) text += "\n  stop asked   " + *found.stop;
  if (found.save) text += "\n  save asked   " + *found.save;
  if (!found.action.empty())
    text += fmt::format("\n  supervisor   {}: {} ({})", found.decided_at, found.action, found.because);
  for (const auto& node : found.nodes)
    text += fmt::format("\n  bad node     {}: {} evidence of {}, {}{}", node.node,
                        node.hard ? "hard" : "soft", node.evidence, ago_text(node.newest, now),
                        node.times > 1 ? fmt::format(", {} times in 14 days", node.times) : "");
  return text;
}

nlohmann::ordered_json to_json(const Supervision& found) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (found.end_of_job) json["end_of_job"] = utc_text(*found.end_of_job);
  if (found.stop) json["stop_asked"] = *found.stop;
  if (found.save) json["save_asked"] = *found.save;
  if (!found.action.empty())
    json["supervisor"] = {{"time", found.decided_at}, {"action", found.action}, {"because", found.because}};
  json["bad_nodes"] = nlohmann::ordered_json::array();
  for (const auto& node : found.nodes)
    json["bad_nodes"].push_back({{"node", node.node},
                                 {"evidence", node.evidence},
                                 {"hard", node.hard},
                                 {"times", node.times},
                                 {"newest", utc_text(node.newest)}});
  return json;
}

}  // namespace facemae
