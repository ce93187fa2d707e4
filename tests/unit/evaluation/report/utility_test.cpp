#include "evaluation/report/utility.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/files/files.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(UtilityTable, HasARowForEachSetOfPairsOfEachFile) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "real.json";
  write_whole(real_files(), file,
              R"({"sets": [{"accuracy": 0.9713, "accuracy_std": 0.01, "auc": 0.99, "eer": 0.03},
                           {"accuracy": null, "auc": 0.5}]})");
  const auto table = utility_table({"real=" + file});
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("real", "97.13 %", "1.00", "0.9900", "3.00 %"),
                                      ElementsAre("real", "-", "-", "0.5000", "-")));
  EXPECT_EQ(table.columns.size(), 5U);
}

TEST(DifferenceToPlain, IsThatOfTheMeansOverSets) {
  const test::TemporaryFolder folder;
  const auto file = [&](const char* name, const char* sets) {
    write_whole(real_files(), folder / name, std::string(R"({"sets": )") + sets + "}");
    return std::string(name) + "=" + (folder / name).string();
  };
  const auto plain = file("plain", R"([{"accuracy": 0.6}, {"accuracy": 0.8}])"),
             release = file("release", R"([{"accuracy": 0.75}, {"accuracy": 0.75}])"),
             other = file("real", R"([{"accuracy": 0.9}, {"accuracy": 0.9}])");
  const auto found = difference_to_plain({other, plain, release});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->metric, "accuracy_difference_to_plain");
  EXPECT_EQ(found->attack, "");
  EXPECT_NEAR(found->found.value, 0.05, 1e-12);
  EXPECT_FALSE(difference_to_plain({plain, other}).has_value());
  EXPECT_FALSE(difference_to_plain({plain, file("release", R"([{"accuracy": null}, {"accuracy": 0.7}])")}))
      << "what could not be measured has no mean";
}

TEST(UtilityTable, RefusesWhatEvaluateDidNotWrite) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "x.json";
  const auto refuses = [](const std::string& argument) {
    EXPECT_THAT([&] { utility_table({argument}); },
                ThrowsMessage<ConfigError>(HasSubstr("--utility " + argument + " is not NAME=FILE")));
  };
  for (const char* text : {"", "[1]", "{}", R"({"sets": {}})", R"({"sets": []})"}) {
    write_whole(real_files(), file, text);
    refuses("x=" + file);
  }
  refuses(file);
}

}  // namespace
}  // namespace facemae
