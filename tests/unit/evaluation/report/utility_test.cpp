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
