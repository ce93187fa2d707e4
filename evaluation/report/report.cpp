#include "evaluation/report/report.h"

#include "evaluation/report/findings_report.h"

namespace facemae {
namespace {

// NaN, for what could not be measured, becomes null.
nlohmann::json json_of(const Figure& figure) {
  return {{"value", figure.value}, {"low", figure.low}, {"high", figure.high}};
}

nlohmann::json json_of(const Retrieval& found) {
  return {{"rank1", json_of(found.rank1)},
          {"rank5", json_of(found.rank5)},
          {"rank10", json_of(found.rank10)},
          {"median_rank", found.median_rank},
          {"mean_average_precision", found.mean_average_precision},
          {"chance_rank1", found.chance_rank1},
          {"probes", found.probes},
          {"people", found.people}};
}

nlohmann::json json_of(const LinkageResult& result) {
  nlohmann::json rates = nlohmann::json::array();
  for (const auto& at : result.verification) {
    rates.push_back({{"far", at.far}, {"tar", json_of(at.tar)}, {"threshold", at.threshold}});
  }
  return {{"same_image", json_of(result.same_image)},
          {"same_identity", json_of(result.same_identity)},
          {"verification", rates},
          {"own_histogram", result.own_histogram},
          {"mated_histogram", result.mated_histogram},
          {"other_histogram", result.other_histogram}};
}

}  // namespace

nlohmann::json to_json(const Report& report) {
  nlohmann::json json{
      {"facemae_audit", kReportVersion}, {"warning", report.warning}, {"title", report.title}};
  json["facts"] = nlohmann::json::array();
  for (const auto& [name, value] : report.facts) json["facts"].push_back({{"name", name}, {"value", value}});
  json["tables"] = nlohmann::json::array();
  for (const Report::Table& table : report.tables) {
    json["tables"].push_back(
        {{"heading", table.heading}, {"note", table.note}, {"columns", table.columns}, {"rows", table.rows}});
  }
  add_findings(json, report.findings, report.metadata);
  json["attacks"] = nlohmann::json::array();
  for (const AttackReport& attack : report.attacks) {
    json["attacks"].push_back({{"attacker", attack.released.attacker},
                               {"knowledge", attack.released.knowledge},
                               {"control", attack.control},
                               {"released", json_of(attack.released)},
                               {"ceiling", json_of(attack.ceiling)}});
  }
  json["pictures"] = nlohmann::json::array();  // their captions: the pixels are in the page
  for (const ReportPicture& picture : report.pictures) json["pictures"].push_back(picture.caption);
  return json;
}

}  // namespace facemae
