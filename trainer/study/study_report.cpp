#include "trainer/study/study_report.h"

#include <algorithm>
#include <cmath>

#include "core/fields.h"
#include "core/log.h"
#include "core/text.h"
#include "data/image/image.h"
#include "data/store/store.h"
#include "evaluation/report/audit_report.h"
#include "evaluation/report/html.h"
#include "evaluation/report/scatter.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

std::string with_limits(const Figure& figure, bool points) {
  const auto text = [&](double value) {
    return points ? fmt::format("{:+.2f}", 100 * value) : percent(value);
  };
  if (std::isnan(figure.value)) return "–";
  if (std::isnan(figure.low)) return text(figure.value);
  return fmt::format("{} ({} to {})", text(figure.value), text(figure.low), text(figure.high));
}

bool shows_figures(const ArmResult& arm) { return arm.failure.empty() && !std::isnan(arm.utility.value); }

std::int64_t people_of(const ArmResult& arm) {
  for (const auto& seed : arm.seeds)
    if (seed.headline) return seed.headline->people;
  return 0;
}

Report::Table arms_table(const StudyResult& result) {
  Report::Table table{
      .heading = "Arms",
      .note =
          "Utility: mean accuracy on held-out people over seeds, with Student's 95 % interval. Naming odds: the "
          "worst attack, mean over seeds, with an interval that holds those of all seeds. Points to plain are "
          "paired by seed.",
      .columns = {"arm", "utility", "naming odds", "verdict", "points to plain", "people per class",
                  "worst attack", "seeds"},
      .rows = {}};
  for (const ArmResult& arm : result.arms) {
    const bool shown = shows_figures(arm);
    table.rows.push_back({arm.arm.name, shown ? with_limits(arm.utility, false) : "–",
                          shown && arm.naming_odds ? with_limits(*arm.naming_odds, false) : "–", arm.verdict,
                          shown && arm.to_plain ? with_limits(*arm.to_plain, true) : "–",
                          std::to_string(arm.arm.people_per_class), arm.worst.empty() ? "–" : arm.worst,
                          std::to_string(arm.seeds.size())});
  }
  return table;
}

Report::Table meanings_table(const StudyResult& result) {
  Report::Table table{
      .heading = "What the arms are", .note = "", .columns = {"arm", "pictures"}, .rows = {}, .prose = true};
  for (const ArmResult& arm : result.arms) table.rows.push_back({arm.arm.name, arm.arm.help});
  return table;
}

Report::Table protocol_table(const StudyResult& result) {
  const Json json = to_json(result.protocol);
  Report::Table table{
      .heading = "Protocol, written before the study ran",
      .note =
          "protocol.json beside this page has it in full, with every command; sha256sum prints its digest.",
      .columns = {"what", "as it was fixed"},
      .rows = {},
      .prose = true};
  table.rows.push_back({"SHA-256 of protocol.json", result.digest});
  table.rows.push_back({"win rule", json["win_rule"]["text"]});
  table.rows.push_back({"utility", json["utility"]});
  table.rows.push_back({"naming odds", json["naming_odds"]});
  for (const auto& [key, value] : json["configuration"].items()) {
    if (key == "inputs") continue;
    table.rows.push_back({key, value.is_string() ? value.get<std::string>() : value.dump()});
  }
  for (const auto& [key, value] : json["configuration"]["inputs"].items())
    if (value.is_object() && value.contains("digest"))
      table.rows.push_back(
          {"store " + key, fmt::format("{} images of {} people, digest {}", value["images"].dump(),
                                       value["identities"].dump(), value["digest"].get<std::string>())});
  return table;
}

Report::Table failures_table(const StudyResult& result) {
  Report::Table table{.heading = "Arms that failed",
                      .note = "They have no figures, and others were not affected.",
                      .columns = {"arm", "why"},
                      .rows = {},
                      .prose = true};
  for (const ArmResult& arm : result.arms)
    if (!arm.failure.empty()) table.rows.push_back({arm.arm.name, arm.failure});
  return table;
}

Json json_of(const Figure& figure) {
  return {{"value", figure.value}, {"low", figure.low}, {"high", figure.high}};
}

std::string number(double value) { return std::isnan(value) ? "" : fmt::format("{:.6g}", value); }

}  // namespace

Report study_page(const StudyResult& result) {
  const StudyProtocol& protocol = result.protocol;
  Report report{.title = "Study: utility against naming odds"};
  std::int64_t people = static_cast<std::int64_t>(protocol.share.people);
  for (const auto& arm : result.arms)
    if (people_of(arm) > 0) people = std::min(people, people_of(arm));
  report.warning = audit_warning(protocol.synthetic, people);
  report.facts = {{"budget", protocol.configuration.value("budget", "")},
                  {"seeds", std::to_string(protocol.plan.seeds.size())},
                  {"people", human_count(protocol.share.people)},
                  {"pictures of every arm", human_count(protocol.share.pictures())},
                  {"commands done", fmt::format("{} of {}", result.done, result.units)},
                  {"time of all commands", human_seconds(result.seconds)},
                  {"protocol written", protocol.written}};
  std::vector<ScatterPoint> points;
  for (const ArmResult& arm : result.arms)
    if (shows_figures(arm) && arm.naming_odds)
      points.push_back({arm.arm.name, *arm.naming_odds, arm.utility});
  const std::string drawing = scatter_svg(points, "naming odds of the worst attack", "utility");
  if (!drawing.empty())
    report.drawings.push_back({"Utility against naming odds",
                               "Up and to the left is better. Arms without an audit are in the table alone.",
                               drawing});
  report.tables.push_back(arms_table(result));
  report.tables.push_back(meanings_table(result));
  auto failures = failures_table(result);
  if (!failures.rows.empty()) report.tables.push_back(std::move(failures));
  report.tables.push_back(protocol_table(result));
  return report;
}

std::vector<ReportPicture> study_pictures(const Path& out, const StudyResult& result) {
  constexpr std::uint64_t kOfAnArm = 3;
  std::vector<ReportPicture> pictures;
  Decoder decoder;
  for (const ArmResult& arm : result.arms) {
    const bool decoded = arm.arm.source == ArmSource::Decoder;
    if (!decoded && !result.protocol.synthetic) continue;
    const std::string place = study_places::arm(arm.arm.name, result.protocol.plan.seeds.front());
    const Path folder = out / (arm.arm.source == ArmSource::Photos    ? study_places::kUnseen
                               : arm.arm.source == ArmSource::Outside ? study_places::outside(arm.arm.name)
                                                                      : place + "/released");
    if (!std::filesystem::exists(folder / "manifest.h5")) continue;
    const auto store = Store::open(folder);
    std::vector<std::byte> encoded;
    for (std::uint64_t row = 0; row < std::min(kOfAnArm, store->size()); ++row) {
      store->read(row, encoded);
      pictures.push_back({arm.arm.name, decoder.decode(encoded)});
    }
  }
  return pictures;
}

std::string study_csv(const StudyResult& result) {
  std::string text =
      "arm,people_per_class,seed,utility,naming_odds,naming_odds_low,naming_odds_high,attack,attacker,level,people,"
      "positive_controls_work,verdict,failure\n";
  for (const ArmResult& arm : result.arms) {
    const std::string head = csv_word(arm.arm.name) + "," + std::to_string(arm.arm.people_per_class) + ",";
    const std::string tail = "," + csv_word(arm.verdict) + "," + csv_word(arm.failure) + "\n";
    if (arm.seeds.empty()) text += head + ",,,,,,,,," + tail;
    for (const SeedResult& seed : arm.seeds) {
      text += head + std::to_string(seed.seed) + "," + (seed.utility ? number(*seed.utility) : "");
      if (!seed.headline) {
        text += ",,,,,,,," + tail;
        continue;
      }
      const AuditHeadline& found = *seed.headline;
      text += fmt::format(",{},{},{},{},{},{},{},{}{}", number(found.naming_odds.value),
                          number(found.naming_odds.low), number(found.naming_odds.high),
                          csv_word(found.attack), csv_word(found.attacker), csv_word(found.level),
                          found.people, found.positive_controls_work ? "yes" : "no", tail);
    }
  }
  return text;
}

nlohmann::ordered_json study_json(const StudyResult& result) {
  Json arms = Json::array();
  for (const ArmResult& arm : result.arms) {
    Json seeds = Json::array();
    for (const SeedResult& seed : arm.seeds) {
      Json one = {{"seed", seed.seed}, {"utility", seed.utility ? Json(*seed.utility) : Json()}};
      if (seed.headline)
        one["headline"] = {{"attack", seed.headline->attack},
                           {"attacker", seed.headline->attacker},
                           {"level", seed.headline->level},
                           {"naming_odds", json_of(seed.headline->naming_odds)},
                           {"people", seed.headline->people},
                           {"positive_controls", seed.headline->positive_controls},
                           {"positive_controls_work", seed.headline->positive_controls_work}};
      seeds.push_back(std::move(one));
    }
    arms.push_back({{"arm", arm.arm.name},
                    {"source", name_of(arm.arm.source)},
                    {"people_per_class", arm.arm.people_per_class},
                    {"utility", json_of(arm.utility)},
                    {"difference_to_plain", arm.to_plain ? json_of(*arm.to_plain) : Json()},
                    {"naming_odds", arm.naming_odds ? json_of(*arm.naming_odds) : Json()},
                    {"worst_attack", arm.worst},
                    {"verdict", arm.verdict},
                    {"failure", arm.failure},
                    {"seeds", seeds}});
  }
  return {{"protocol_sha256", result.digest},
          {"budget", result.protocol.configuration.value("budget", "")},
          {"pictures_of_every_arm", result.protocol.share.pictures()},
          {"units", result.units},
          {"done", result.done},
          {"failed", result.failed},
          {"win_rule", result.protocol.rule.text()},
          {"arms", arms}};
}

std::string study_text(const StudyResult& result) {
  std::string text = fmt::format("{:<14} {:<28} {:<28} {}\n", "arm", "utility", "naming odds", "verdict");
  for (const ArmResult& arm : result.arms)
    text += fmt::format("{:<14} {:<28} {:<28} {}\n", arm.arm.name,
                        shows_figures(arm) ? with_limits(arm.utility, false) : "–",
                        shows_figures(arm) && arm.naming_odds ? with_limits(*arm.naming_odds, false) : "–",
                        arm.failure.empty() ? arm.verdict : "failed: " + arm.failure);
  return text;
}

StudyResult write_study(FileSystem& files, const Path& out) {
  StudyResult result = gather_study(out);
  Report page = study_page(result);
  page.pictures = study_pictures(out, result);
  write_durably(files, out / "study.html", to_html(page));
  write_durably(files, out / "study.csv", study_csv(result));
  write_durably(files, out / "study.json", study_json(result).dump(2) + "\n");
  return result;
}

}  // namespace facemae
