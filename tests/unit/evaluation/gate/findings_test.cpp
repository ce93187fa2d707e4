#include "evaluation/gate/findings.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error.h"
#include "tests/unit/evaluation/gate/small_report.h"

namespace facemae {
namespace {

using namespace small_report;
using testing::HasSubstr;

TEST(ReportedFindings, AreWhatTheReportSays) {
  nlohmann::json report = report_of("d1");
  report["measurements"].push_back(measurement("A1", "person_to_class", 12, 300, 4));
  report["metrics"].push_back({{"metric", "tar_at_far"},
                               {"attack", "A4"},
                               {"far", 0.001},
                               {"value", 0.02},
                               {"low", 0.01},
                               {"high", nullptr},
                               {"people", 300},
                               {"person_pairs", 44850}});
  report["controls"].push_back(control("A1", "planted", "positive", 1, 0.9, 1, 0.95));
  const ReportedFindings findings = findings_from(report.dump(), "report.json");
  EXPECT_EQ(findings.release_digest, "d1");
  ASSERT_EQ(findings.measurements.size(), 1U);
  EXPECT_EQ(findings.measurements[0].level, Level::PersonToClass);
  EXPECT_EQ(findings.measurements[0].tallies.size(), 300U);
  EXPECT_DOUBLE_EQ(findings.measurements[0].found.value, 0.04) << "counted from the tallies, not believed";
  EXPECT_DOUBLE_EQ(naming_odds(findings.measurements[0]).value, 0.01);
  EXPECT_EQ(findings.metrics.at(0).rate, 0.001);
  EXPECT_EQ(findings.metrics.at(0).person_pairs, 44850);
  EXPECT_TRUE(std::isnan(findings.metrics.at(0).figure.high));
  EXPECT_TRUE(findings.controls.at(0).positive);
}

TEST(ReportedFindings, ThatMakeNoSenseAreRefusedWithTheirPlace) {
  const auto fault = [](const std::function<void(nlohmann::json&)>& change) -> std::string {
    nlohmann::json report = report_of("d1");
    report["measurements"].push_back(measurement("A1", "own_picture", 1, 3));
    report["controls"].push_back(control("A1", "planted", "positive", 1, 0.9, 1, 0.95));
    change(report);
    try {
      findings_from(report.dump(), "report.json");
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault([](auto&) {}), "");
  EXPECT_THAT(fault([](auto& r) { r["measurements"][0]["hits"][2] = 5; }),
              HasSubstr("measurements[0]: person 2 has 5 hits in 1 trials"));
  EXPECT_THAT(fault([](auto& r) { r["measurements"][0]["hits"].push_back(0); }),
              HasSubstr("lists of one length"));
  EXPECT_THAT(fault([](auto& r) { r["measurements"][0]["level"] = "own_pictures"; }),
              HasSubstr("did you mean own_picture?"));
  EXPECT_THAT(fault([](auto& r) { r["measurements"][0]["people_per_class"] = 0; }),
              HasSubstr("people_per_class"));
  EXPECT_THAT(fault([](auto& r) { r["controls"][0].erase("works"); }), HasSubstr("controls[0]"));
  EXPECT_THAT(fault([](auto& r) { r["controls"][0]["kind"] = "good"; }), HasSubstr("\"good\""));
  EXPECT_THROW(findings_from("{", "report.json"), DataError);
  EXPECT_THROW(findings_from("{}", "report.json"), DataError);
}

}  // namespace
}  // namespace facemae
