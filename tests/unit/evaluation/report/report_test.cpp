#include "evaluation/report/report.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "evaluation/report/html.h"
#include "evaluation/statistics/intervals.h"
#include "tests/unit/evaluation/report/report_sample.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The first fault of nesting, or "": every element that is opened is closed, in order; void
/// elements close themselves.
std::string nesting_fault(const std::string& html) {
  static const std::regex tag(R"(<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^<>"]|"[^"]*")*?)(/?)>)");
  std::vector<std::string> open;
  for (std::sregex_iterator it(html.begin(), html.end(), tag), end; it != end; ++it) {
    const std::string name = (*it)[2];
    if ((*it)[1].length() > 0) {
      if (open.empty() || open.back() != name)
        return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
      open.pop_back();
    } else if ((*it)[4].length() == 0) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : open.back() + " stays open";
}

TEST(Report, LoadsNothingFromOutside) {
  const std::string html = to_html(sample_report());
  EXPECT_FALSE(std::regex_search(html, std::regex("(src|href|action|data)\\s*=\\s*[\"']?\\s*(https?:)?//")));
  for (const char* loader : {"http://", "https://", "@import", "url(", "<link", "<script", "<iframe"}) {
    EXPECT_THAT(html, Not(HasSubstr(loader)));
  }
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(Report, PutsTheWarningAboveEverything) {
  const std::string html = to_html(sample_report());
  const auto warning = html.find("No formal privacy guarantee");
  ASSERT_NE(warning, std::string::npos);
  EXPECT_LT(warning, html.find("<h1>"));
  EXPECT_LT(warning - html.find("<body>"), 60U);
}

TEST(Report, IsWellFormedAndShowsItsFigures) {
  const std::string html = to_html(sample_report());
  EXPECT_EQ(nesting_fault(html), "");
  for (const char* shown :
       {"71.8 %", "0.04 %", "817.5", "2,339", "mosaic 8", "TAR at FAR 0.001", "74.4 %", "picture 6"}) {
    EXPECT_THAT(html, HasSubstr(shown));
  }
  EXPECT_THAT(html, HasSubstr("data:image/png;base64,iVBORw0KGgo"));
}

TEST(Report, EscapesText) {
  const std::string html = to_html(sample_report());
  EXPECT_THAT(html, HasSubstr("<h1>Audit of a release &amp; its &quot;labels&quot; &lt;test&gt;</h1>"));
  EXPECT_THAT(html, HasSubstr("a &lt; b"));
  EXPECT_THAT(html, Not(HasSubstr("alert(1)</script>")));
  EXPECT_EQ(escape_html("\x01<'&\">"), "&lt;&#39;&amp;&quot;&gt;");
}

TEST(Report, LeavesOutEmptySections) {
  Report report;
  report.title = "nothing";
  const std::string html = to_html(report);
  EXPECT_EQ(nesting_fault(html), "");
  for (const char* part : {"<table", "<h2", "role=\"alert\"", "<dl", "<svg"})
    EXPECT_THAT(html, Not(HasSubstr(part)));
}

TEST(Report, ShowsADashForWhatCouldNotBeMeasured) {
  Report report = sample_report();
  report.attacks.resize(1);
  Retrieval& person = report.attacks[0].released.same_identity;
  person.rank1.value = person.median_rank = person.chance_rank1 = NAN;
  report.attacks[0].released.mated_histogram.assign(64, 0);
  const std::string html = to_html(report);
  EXPECT_EQ(nesting_fault(html), "");
  EXPECT_THAT(html, Not(testing::ContainsRegex("[^a-z]nan[^a-z]")));
  EXPECT_THAT(html, HasSubstr("–"));
  const auto json = nlohmann::json::parse(to_json(report).dump());
  EXPECT_TRUE(json["attacks"][0]["released"]["same_identity"]["rank1"]["value"].is_null());
}

TEST(Report, CarriesTheSameFiguresInJson) {
  const Report report = sample_report();
  const auto json = nlohmann::json::parse(to_json(report).dump());
  ASSERT_EQ(json["attacks"].size(), report.attacks.size());
  for (std::size_t a = 0; a < report.attacks.size(); ++a) {
    const AttackReport& attack = report.attacks[a];
    EXPECT_EQ(json["attacks"][a]["attacker"], attack.released.attacker);
    EXPECT_EQ(json["attacks"][a]["control"], attack.control);
    EXPECT_EQ(json["attacks"][a]["released"]["same_image"]["rank1"]["value"],
              attack.released.same_image.rank1.value);
    EXPECT_EQ(json["attacks"][a]["released"]["same_image"]["rank1"]["high"],
              attack.released.same_image.rank1.high);
    EXPECT_EQ(json["attacks"][a]["ceiling"]["same_identity"]["chance_rank1"],
              attack.ceiling.same_identity.chance_rank1);
    EXPECT_EQ(json["attacks"][a]["released"]["verification"][0]["tar"]["value"],
              attack.released.verification[0].tar.value);
    EXPECT_EQ(json["attacks"][a]["released"]["own_histogram"], attack.released.own_histogram);
    EXPECT_THAT(to_html(report), HasSubstr(percent(attack.released.same_image.rank1.value)));
  }
  EXPECT_EQ(json["warning"], report.warning);
  EXPECT_EQ(json["facts"][0]["value"], "2,339");
  EXPECT_EQ(json["tables"][0]["rows"][1][1], "60.4 %");
}

TEST(Report, SaysOfNobodyWhetherTheyWereFound) {
  const auto of = [](std::vector<Tally> tallies) {
    Report report = sample_report();
    Measurement found{
        .attack = "A1", .attacker = "any", .level = Level::PersonToClass, .people_per_class = 2};
    found.tallies = std::move(tallies);
    found.found = interval_by_person(found.tallies);
    report.findings.measurements = {found};
    return nlohmann::json::parse(to_json(report).dump())["measurements"][0];
  };
  // People 0 and 4 are one class, 1 and 3 another; 2 was tried alone, in two rows.
  const auto json = of({{0, 1, 1, 0}, {1, 0, 1, 1}, {2, 1, 3}, {3, 1, 1, 1}, {4, 1, 1, 0}, {2, 1, 2}});
  EXPECT_EQ(json, of({{1, 1, 1, 0}, {2, 2, 5}, {0, 1, 1, 0}, {4, 1, 1, 3}, {3, 0, 1, 3}}))
      << "whoever knows the order of people must not read from places who was found";
  EXPECT_EQ(json["hits"].dump(), "[0.0,1.0,1.0,1.0,2.0]");
  EXPECT_EQ(json["trials"].dump(), "[1.0,1.0,1.0,1.0,5.0]");
  EXPECT_EQ(json["together"].dump(), "[0,0,2,2,4]");
  EXPECT_FALSE(of({{0, 1, 1}, {1, 0, 1}}).contains("together")) << "everybody alone";
}

TEST(Report, BeginsWithNamingOddsAndTellsFailedControls) {
  Report report = sample_report();
  Measurement found{.attack = "A1",
                    .attacker = "closed-form channel",
                    .level = Level::PersonToClass,
                    .pairs = "all",
                    .chance = 0.05,
                    .people_per_class = 4};
  std::vector<double> hits, trials;
  std::vector<std::int64_t> people;
  for (int p = 0; p < 20; ++p) {
    found.tallies.push_back({p, p < 8 ? 1.0 : 0.0, 1});
    hits.push_back(found.tallies.back().hits);
    trials.push_back(1);
    people.push_back(p);
  }
  found.found = interval_by_person(hits, trials, people);
  Measurement planted = found;
  planted.control = "planted";
  for (Tally& tally : planted.tallies) tally.hits = 1;
  report.findings.measurements = {found, planted};
  report.findings.controls = {{"A1", "closed-form channel", "planted", true, {0.5, 0.3, 0.7}, 0.95, false}};
  report.findings.figures = {{.metric = "dsys",
                              .attack = "A10",
                              .attacker = "A1 closed-form channel, means",
                              .found = {0.2, 0.1, 0.3},
                              .people = 20,
                              .nonmembers = 30}};
  report.metadata = {{"names", 3}};
  const std::string html = to_html(report);
  EXPECT_EQ(nesting_fault(html), "");
  EXPECT_LT(html.find("name a person rightly"), html.find("matched to its own original"));
  for (const char* shown :
       {"A1 closed-form channel", "person to class", "NO: inconclusive", "10.0 %", "0.200"})
    EXPECT_THAT(html, HasSubstr(shown));
  const auto json = nlohmann::json::parse(to_json(report).dump());
  EXPECT_EQ(json["headline"]["attack"], "A1");
  EXPECT_NEAR(json["headline"]["naming_odds"]["value"], 0.1, 1e-12);
  EXPECT_EQ(json["headline"]["people"], 20);
  EXPECT_EQ(json["measurements"][0]["level"], "person_to_class");
  EXPECT_EQ(json["measurements"][0]["people_per_class"], 4);
  EXPECT_EQ(json["measurements"][0]["hits"].size(), 20U);
  EXPECT_EQ(json["controls"][0]["kind"], "positive");
  EXPECT_EQ(json["controls"][0]["works"], false);
  EXPECT_EQ(json["metrics"][0]["nonmembers"], 30);
  EXPECT_EQ(json["metrics"][1]["value"], 3);
  EXPECT_TRUE(to_json(sample_report())["headline"].is_null());
}

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) EXPECT_EQ(base64(bytes_of(plain)), coded);
}

}  // namespace
}  // namespace facemae
