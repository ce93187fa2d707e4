#include "trainer/study/results.h"

#include <algorithm>
#include <set>

#include "core/log.h"
#include "core/text.h"
#include "trainer/study/unit_records.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

Json parsed(const std::string& text, const std::string& what) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) throw DataError("reading " + what + ": it is not JSON");
  return json;
}

/// What the unit of a command says of an arm's seed.
struct StudyFiles {
  const Path& out;
  const StudyProtocol& protocol;
  std::vector<std::optional<UnitRecord>> records;
  std::vector<UnitState> states;
};

/// Why an arm has no figures, of the first unit that failed, the shared ones included; "" when none has.
std::string failure_of(const StudyFiles& found, const std::string& arm) {
  const auto& units = found.protocol.plan.units;
  std::set<std::string> needed;
  for (const auto& unit : units)
    if (unit.arm == arm) needed.insert(unit.needs.begin(), unit.needs.end());
  for (std::size_t u = 0; u < units.size(); ++u)
    if (found.states[u] == UnitState::Failed && (units[u].arm == arm || needed.count(units[u].id) > 0))
      return fmt::format("{} ended with {}: {}", units[u].id, found.records[u]->code, found.records[u]->said);
  return "";
}

bool all_done(const StudyFiles& found, const std::string& arm) {
  const auto& units = found.protocol.plan.units;
  for (std::size_t u = 0; u < units.size(); ++u)
    if (units[u].arm == arm && found.states[u] != UnitState::Done) return false;
  return true;
}

/// The number of pictures that were released must be that of every other arm.
void expect_pictures(const Path& file, const EqualShare& share) {
  const Json json = parsed(read_plain_file(file), file.string());
  const auto images = json.value("images", std::uint64_t{0});
  if (images != share.pictures())
    throw DataError(fmt::format("the release has {} pictures, and every arm is to have {}",
                                human_count(images), human_count(share.pictures())));
}

SeedResult seed_result(const StudyFiles& found, const PlannedArm& arm, std::uint64_t seed) {
  const Path place = found.out / study_places::arm(arm.name, seed);
  SeedResult result{.seed = seed};
  const bool released = arm.source == ArmSource::Pixels || arm.source == ArmSource::Decoder;
  if (released && std::filesystem::exists(place / "released.json"))
    expect_pictures(place / "released.json", found.protocol.share);
  const auto& units = found.protocol.plan.units;
  for (std::size_t u = 0; u < units.size(); ++u) {
    if (units[u].arm != arm.name || units[u].seed != seed || found.states[u] != UnitState::Done) continue;
    const Path utility = place / "utility.json", report = place / "audit" / "report.json";
    if (units[u].words.front() == "evaluate")
      result.utility = utility_from(read_plain_file(utility), utility.string());
    if (units[u].words.front() == "audit")
      result.headline = headline_from(read_plain_file(report), report.string());
  }
  return result;
}

ArmResult arm_result(const StudyFiles& found, const PlannedArm& arm) {
  ArmResult result{.arm = arm};
  result.failure = failure_of(found, arm.name);
  result.finished = all_done(found, arm.name);
  if (!result.failure.empty()) return result;
  try {
    for (const std::uint64_t seed : found.protocol.plan.seeds)
      result.seeds.push_back(seed_result(found, arm, seed));
  } catch (const Error& error) {
    result.failure = error.what();
    result.seeds.clear();
  }
  return result;
}

}  // namespace

AuditHeadline headline_from(const std::string& text, const std::string& what) {
  const Json json = parsed(text, what);
  const auto head = json.find("headline");
  if (head == json.end() || !head->is_object() || !head->contains("naming_odds"))
    throw DataError("reading " + what + ": it has no headline; run the audit with --attacks");
  try {
    const Json& odds = head->at("naming_odds");
    AuditHeadline headline{.attack = head->value("attack", ""),
                           .attacker = head->value("attacker", ""),
                           .level = head->value("level", ""),
                           .naming_odds = {odds.at("value"), odds.at("low"), odds.at("high")},
                           .people = head->value("people", std::int64_t{0})};
    bool works = true;
    for (const Json& control : json.value("controls", Json::array())) {
      if (control.value("kind", "") != "positive") continue;
      ++headline.positive_controls;
      works = works && control.value("works", false);
    }
    headline.positive_controls_work = works && headline.positive_controls > 0;
    return headline;
  } catch (const Json::exception& error) {
    throw DataError("reading " + what + ": its headline has no figures (" + error.what() + ")");
  }
}

double utility_from(const std::string& text, const std::string& what) {
  const Json json = parsed(text, what);
  double sum = 0;
  std::size_t sets = 0;
  for (const Json& set : json.value("sets", Json::array())) {
    const auto accuracy = set.find("accuracy");
    if (accuracy == set.end() || !accuracy->is_number())
      throw DataError("reading " + what + ": a set has no accuracy");
    sum += accuracy->get<double>();
    ++sets;
  }
  if (sets == 0) throw DataError("reading " + what + ": it has no set; `facemae evaluate --json` writes it");
  return sum / static_cast<double>(sets);
}

StudyResult gather_study(const Path& out) {
  StudyResult result{.protocol = read_protocol(out), .digest = protocol_digest(out), .arms = {}};
  const auto& plan = result.protocol.plan;
  StudyFiles found{.out = out, .protocol = result.protocol, .records = {}, .states = {}};
  for (const auto& unit : plan.units) found.records.push_back(read_record(out, unit));
  found.states = states_of(plan.units, found.records);
  result.units = plan.units.size();
  for (std::size_t u = 0; u < plan.units.size(); ++u) {
    result.done += found.states[u] == UnitState::Done;
    result.failed += found.states[u] == UnitState::Failed || found.states[u] == UnitState::Lost;
    if (found.records[u]) result.seconds += found.records[u]->seconds;
  }
  for (const auto& arm : plan.arms) result.arms.push_back(arm_result(found, arm));
  judge_arms(result.arms, result.protocol.rule);
  return result;
}

}  // namespace facemae
