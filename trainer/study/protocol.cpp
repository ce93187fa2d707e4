#include "trainer/study/protocol.h"

#include <algorithm>

#include "core/clock.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/random/sha256.h"
#include "core/text.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUtilityText =
    "Utility is verification accuracy on held-out people, of the same recogniser with the same budget and number of pictures in every arm: "
    "the mean over seeds (of FaceMAE and of the recogniser at once), with Student's 95 % interval where there are several.";
constexpr const char* kOddsText =
    "Naming odds are the chance of naming a person rightly: hits divided by the people of a class. Of each seed, the maximum over attackers and levels counts. "
    "The figure is the mean over seeds; its interval goes from the lowest lower to the highest upper limit of the seeds' 95 % intervals, which is wider than 95 % asks for.";

Json json_of(const StudyUnit& unit) {
  return {{"id", unit.id},
          {"arm", unit.arm},
          {"seed", unit.seed},
          {"needs", unit.needs},
          {"command", unit.words}};
}

StudyUnit unit_from(const Json& json) {
  return {.id = json.at("id"),
          .arm = json.at("arm"),
          .seed = json.at("seed"),
          .words = json.at("command").get<std::vector<std::string>>(),
          .needs = json.at("needs").get<std::vector<std::string>>()};
}

Json json_of(const WinRule& rule) {
  Json limits = Json::object();
  for (const auto& [people, limit] : rule.candidate_limits) limits[std::to_string(people)] = limit;
  return {{"text", rule.text()},
          {"plain", rule.plain},
          {"plain_095", rule.plain95},
          {"utility_margin", rule.utility_margin},
          {"odds_factor", rule.odds_factor},
          {"candidate_limits", limits}};
}

WinRule rule_from(const Json& json) {
  WinRule rule{.plain = json.at("plain"),
               .plain95 = json.at("plain_095"),
               .utility_margin = json.at("utility_margin"),
               .odds_factor = json.at("odds_factor"),
               .candidate_limits = {}};
  for (const auto& [people, limit] : json.at("candidate_limits").items())
    rule.candidate_limits[std::stoi(people)] = limit.get<double>();
  return rule;
}

/// "budget: was minutes, is small" for all that differs.
std::vector<std::string> differences(const Json& was, const Json& is) {
  const auto text = [](const Json& value) { return value.is_null() ? std::string("nothing") : value.dump(); };
  const Json before = was.flatten(), now = is.flatten();
  std::vector<std::string> lines;
  const auto tell = [&](const std::string& key) {
    const Json first = before.value(key, Json()), second = now.value(key, Json());
    if (first != second)
      lines.push_back(fmt::format("{}: was {}, is {}", key.substr(1), text(first), text(second)));
  };
  for (const auto& [key, value] : before.items()) tell(key);
  for (const auto& [key, value] : now.items())
    if (!before.contains(key)) tell(key);
  return lines;
}

std::string program_name() { return "facemae " + program_version(); }

std::string commands_text(const StudyPlan& plan) {
  std::string text =
      "# The commands of this study, to be run in its folder; `facemae compare` runs them in this order as far as\n"
      "# what they need is done.\n";
  for (const auto& unit : plan.units) text += "facemae " + shell_words(unit.words) + "\n";
  return text;
}

}  // namespace

std::string WinRule::text() const {
  std::string text = fmt::format(
      "An arm WINS if its utility is at least that of {} minus {:g} point and the upper limit of its naming odds is at most {:g} times the naming odds of {}.",
      plain, 100 * utility_margin, odds_factor, plain95);
  text += " It is a CANDIDATE SETTING if that upper limit is at most ";
  bool first = true;
  for (const auto& [people, limit] : candidate_limits) {
    text += fmt::format("{}{:g} % with {} people in a class", first ? "" : " or ", 100 * limit, people);
    first = false;
  }
  return text + ", and every positive control works.";
}

nlohmann::ordered_json to_json(const StudyProtocol& protocol) {
  Json arms = Json::array(), units = Json::array();
  for (const auto& arm : protocol.plan.arms)
    arms.push_back({{"name", arm.name},
                    {"what", arm.help},
                    {"source", name_of(arm.source)},
                    {"people_per_class", arm.people_per_class}});
  for (const auto& unit : protocol.plan.units) units.push_back(json_of(unit));
  return {{"facemae_study", 1},
          {"program", program_name()},
          {"written", protocol.written},
          {"configuration", protocol.configuration},
          {"taken", protocol.taken},
          {"synthetic", protocol.synthetic},
          {"people", protocol.share.people},
          {"images_per_identity", protocol.share.images},
          {"pictures_of_every_arm", protocol.share.pictures()},
          {"seeds", protocol.plan.seeds},
          {"arms", arms},
          {"win_rule", json_of(protocol.rule)},
          {"utility", kUtilityText},
          {"naming_odds", kOddsText},
          {"units", units}};
}

StudyProtocol protocol_from(const std::string& text, const std::string& what) {
  try {
    const Json json = Json::parse(text);
    if (json.at("facemae_study") != 1)
      throw DataError("reading the protocol " + what + ": it was written by a newer program");
    StudyProtocol protocol{
        .configuration = json.at("configuration"),
        .taken = json.at("taken"),
        .synthetic = json.at("synthetic"),
        .share = {.people = json.at("people"), .images = json.at("images_per_identity")},
        .plan = {.arms = {}, .seeds = json.at("seeds").get<std::vector<std::uint64_t>>(), .units = {}},
        .rule = rule_from(json.at("win_rule")),
        .written = json.at("written")};
    for (const auto& arm : json.at("arms"))
      protocol.plan.arms.push_back({.name = arm.at("name"),
                                    .help = arm.at("what"),
                                    .source = arm_source_from(arm.at("source")),
                                    .people_per_class = arm.at("people_per_class")});
    for (const auto& unit : json.at("units")) protocol.plan.units.push_back(unit_from(unit));
    return protocol;
  } catch (const nlohmann::json::exception& error) {
    throw DataError("reading the protocol " + what + ": it is none (" + error.what() +
                    "); begin the study anew in another folder");
  }
}

void write_protocol(FileSystem& files, const Path& out, StudyProtocol& protocol) {
  protocol.written = utc_text(epoch_seconds());
  write_durably(files, out / "commands.txt", commands_text(protocol.plan));
  write_durably(files, out / "protocol.json", to_json(protocol).dump(2) + "\n");
}

void expect_same_study(const Path& out, const nlohmann::ordered_json& configuration) {
  const StudyProtocol begun = read_protocol(out);
  const Json was = Json::parse(read_plain_file(out / "protocol.json"));
  auto lines = differences(begun.configuration, configuration);
  if (was.at("program") != program_name())
    lines.push_back(
        fmt::format("program: was {}, is {}", was.at("program").get<std::string>(), program_name()));
  if (lines.empty()) return;
  constexpr std::size_t kTold = 8;
  const std::size_t told = std::min(lines.size(), kTold), more = lines.size() - told;
  lines.resize(told);
  throw ConfigError(
      "going on with the study in " + out.string() +
      ": its protocol was fixed before it ran, and this one differs; give the options of then, or use another "
      "--out\n  " +
      join(lines, "\n  ") + (more == 0 ? "" : fmt::format("\n  and {} more", more)));
}

StudyProtocol read_protocol(const Path& out) {
  if (!std::filesystem::exists(out / "protocol.json"))
    throw ConfigError("reading the study in " + out.string() +
                      ": there is no protocol.json; `facemae compare` without --report-only begins one");
  return protocol_from(read_plain_file(out / "protocol.json"), (out / "protocol.json").string());
}

std::string protocol_digest(const Path& out) { return sha256_hex(read_plain_file(out / "protocol.json")); }

std::string shell_words(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const auto& word : words) {
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                            "-_./:=,+@%") == std::string::npos;
    std::string safe = "'";
    for (const char letter : word) safe += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    quoted.push_back(plain ? word : safe + "'");
  }
  return join(quoted, " ");
}

}  // namespace facemae
