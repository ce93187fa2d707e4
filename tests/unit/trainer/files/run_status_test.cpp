#include "trainer/files/run_status.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "tests/temporary_folder.h"
#include "trainer/files/lenient_json.h"

namespace facemae {
namespace {

using testing::HasSubstr;

class RunStatusTest : public testing::Test {
 protected:
  RunStatusTest() { RunFolder(run).begin_start(2, false); }
  void put(const Path& name, const std::string& text) { std::ofstream(run / name) << text; }
  /// What is told of the run, for people and for programs.
  std::string told() {
    const RunStatus status = status_of(run);
    return describe(status, 0) + to_json(status).dump();
  }
  const test::TemporaryFolder temporary;
  const Path run = temporary.path() / "run";
};

TEST_F(RunStatusTest, TellsOfALossThatIsNotFinite) {
  put("config.txt", "steps = 40\nbatch = 8\n");
  put("metrics.jsonl", "{\"step\":9,\"loss\":1.5,\"images_per_second\":8}\n");
  EXPECT_THAT(told(), HasSubstr("loss 1.5"));
  put("metrics.jsonl", "{\"step\":10,\"loss\":null,\"images_per_second\":8,\"epoch\":0.5}\n");
  EXPECT_THAT(told(), testing::AllOf(HasSubstr("10 of 40"), HasSubstr("loss not finite"),
                                     HasSubstr("\"loss\":null")));
}

TEST_F(RunStatusTest, BearsLinesAndNotesOfAnyKind) {
  for (const char* bad : {"null", "\"x\"", "[]", "{}", "-1", "1e300", "true"}) {
    const std::string all = std::string("{\"step\":") + bad + ",\"loss\":" + bad +
                            ",\"images_per_second\":" + bad + ",\"epoch\":" + bad + ",\"accuracy\":" + bad +
                            ",\"start\":" + bad + ",\"code\":" + bad + ",\"kind\":" + bad +
                            ",\"reason\":" + bad + ",\"first\":" + bad + ",\"reached\":" + bad + "}\n";
    for (const std::string& text :
         {all, all + "{\"step\":7,\"lo", std::string(bad) + "\n", std::string("\0\0\n", 3)}) {
      std::filesystem::create_directories(run / "exits/00000000");
      for (const char* name :
           {"metrics.jsonl", "evaluations.jsonl", "outcome.json", "exits/00000000/outcome.json"})
        put(name, text);
      put("config.txt", std::string("epochs = ") + bad + "\nbatch = " + bad + "\nsteps\n=\n");
      EXPECT_NO_THROW(told()) << text;
      EXPECT_NO_THROW(RunFolder(run).cut_back(5)) << text;
    }
  }
}

TEST_F(RunStatusTest, NeverWaitsForAPipe) {
  std::filesystem::create_directories(run / "exits/00000000");
  for (const char* name :
       {"metrics.jsonl", "evaluations.jsonl", "config.txt", "lock", "heartbeat",
        "exits/00000000/outcome.json", "checkpoints/HISTORY", "checkpoints/fence/00000007"})
    ASSERT_EQ(::mkfifo((run / name).c_str(), 0600), 0) << name;
  EXPECT_THAT(told(), HasSubstr("last commit  none"));
}

TEST_F(RunStatusTest, RefusesWhatIsNoRun) {
  EXPECT_THROW(status_of(temporary.path() / "typo"), ConfigError);
  std::filesystem::create_directories(temporary.path() / "store");
  std::ofstream(temporary.path() / "store/manifest.h5") << "x";
  EXPECT_THROW(status_of(temporary.path() / "store"), ConfigError);
}

TEST(LenientJson, TakesWhatFitsAndElseTheFallback) {
  const auto json =
      nlohmann::json::parse(R"({"a": 5, "b": -5, "c": 5.5, "d": "x", "e": null, "f": 5000000000})");
  EXPECT_EQ(value_or(json, "a", 1u), 5u);
  EXPECT_EQ(value_or(json, "a", 1.5), 5.0);
  EXPECT_EQ(value_or(json, "b", 1u), 1u);
  EXPECT_EQ(value_or(json, "b", 1), -5);
  EXPECT_EQ(value_or(json, "c", 1), 1);
  EXPECT_EQ(value_or(json, "d", std::string("y")), "x");
  EXPECT_EQ(value_or(json, "e", std::string("y")), "y");
  EXPECT_EQ(value_or(json, "f", 1), 1);
  EXPECT_EQ(value_or(nlohmann::json(), "a", 1), 1);
}

}  // namespace
}  // namespace facemae
