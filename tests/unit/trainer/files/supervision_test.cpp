#include "trainer/files/supervision.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::Not;

struct SupervisionTest : testing::Test {
  void put(const std::string& name, const std::string& text) { std::ofstream(run / name) << text; }
  std::string told() { return describe(supervision_of(run.path(), kNow), kNow); }
  static constexpr std::int64_t kNow = 1'790'000'000, kDay = 86400;
  const test::TemporaryFolder run;
};

TEST_F(SupervisionTest, SaysNothingOfARunThatNobodySupervises) {
  EXPECT_EQ(told(), "");
  put("supervisor.jsonl", "{torn");
  put("nodes.jsonl", "[1]\n{\"node\":7}\n");
  put("end_time", "soon");
  EXPECT_EQ(told(), "") << "nor of damaged files";
  EXPECT_EQ(to_json(supervision_of(run.path(), kNow)).dump(), "{\"bad_nodes\":[]}");
}

TEST_F(SupervisionTest, TellsTheLastDecisionAndTheEndOfTheJob) {
  put("supervisor.jsonl",
      "{\"time\":\"2026-11-29T21:40:00Z\",\"job\":\"42\",\"action\":\"start\",\"because\":\"it begins\"}\n"
      "{\"time\":\"2026-11-29T22:40:00Z\",\"job\":\"42\",\"action\":\"requeue\",\"because\":\"notice\"}\n");
  put("end_time", std::to_string(kNow + 90) + "\n");
  put("stop", "2026-11-29T22:39:00Z me@login\n");
  EXPECT_THAT(told(), testing::AllOf(HasSubstr("2026-11-29T22:40:00Z: requeue (notice)"),
                                     Not(HasSubstr("it begins")), HasSubstr("in 1 min 30 s"),
                                     HasSubstr("stop asked   2026-11-29T22:39:00Z me@login")));
  put("end_time", std::to_string(kNow - 90) + "\n");
  EXPECT_THAT(told(), Not(HasSubstr("job's end"))) << "of a job that is over";
}

TEST_F(SupervisionTest, TellsWhichNodesAreAccusedWithinTwoWeeks) {
  const auto line = [](const char* node, std::int64_t time, const char* evidence, bool hard) {
    return nlohmann::json{{"time", time}, {"node", node}, {"evidence", evidence}, {"hard", hard}}.dump() +
           "\n";
  };
  put("nodes.jsonl", line("n2", kNow - kDay, "hang", false) + line("n2", kNow - 3600, "peer", false) +
                         line("n5", kNow - 15 * kDay, "replica", true) +
                         line("n7", kNow - 60, "replica", true));
  const std::string text = told();
  EXPECT_THAT(text, HasSubstr("n2: soft evidence of peer, 1 h 00 min ago, 2 times in 14 days"));
  EXPECT_THAT(text, HasSubstr("n7: hard evidence of replica"));
  EXPECT_THAT(text, Not(HasSubstr("n5"))) << "forgotten";
  EXPECT_EQ(to_json(supervision_of(run.path(), kNow))["bad_nodes"].size(), 2u);
}

}  // namespace
}  // namespace facemae
