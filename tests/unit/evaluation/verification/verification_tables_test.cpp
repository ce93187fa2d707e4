#include "evaluation/verification/verification_tables.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(VerificationTables, HaveAColumnForEachFigure) {
  Evaluated evaluated{.set = "a,b.bin", .pairs = 4, .figures = {}};
  evaluated.figures =
      verify_distances(std::vector<double>{0.1, 0.2, 1.5, 1.6}, std::vector<char>{1, 1, 0, 0}, 2);
  const std::string heading = figures_heading(), line = figures_line(evaluated);
  EXPECT_EQ(std::count(line.begin(), line.end(), ','), std::count(heading.begin(), heading.end(), ',') + 1)
      << "one of them within the quotes";
  EXPECT_TRUE(line.starts_with("\"a,b.bin\",4,2,")) << line;
  EXPECT_TRUE(line.ends_with(",1,1,1\n")) << line;
}

TEST(VerificationTables, GiveEachPairItsDistance) {
  EXPECT_EQ(
      score_line(
          {.set = "s", .pair = 3, .first = "a,1.jpg", .second = "b.jpg", .distance = 0.25, .same = true}),
      "s,3,\"a,1.jpg\",b.jpg,0.25,1\n");
  EXPECT_EQ(scores_heading(), "set,pair,first,second,distance,same\n");
}

}  // namespace
}  // namespace facemae
