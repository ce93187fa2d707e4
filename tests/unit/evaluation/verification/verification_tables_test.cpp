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
  EXPECT_TRUE(line.ends_with(",,,,,,,\n")) << "no norm, and two impostors tell nothing of any rate: " << line;
  evaluated.xnorm = 21.5;
  std::vector<double> distances(110, 1.5);
  std::vector<char> same(110, 0);
  for (std::size_t i = 0; i < 10; ++i) distances[i * 11] = 0.5, same[i * 11] = 1;
  evaluated.figures = verify_distances(distances, same);
  EXPECT_TRUE(figures_line(evaluated).ends_with(",21.5,1,1,,,,\n")) << figures_line(evaluated);
}

TEST(VerificationTables, ShowTheCurveWhereTrueAcceptsRise) {
  const auto scores =
      scores_of(std::vector<double>{0.1, 0.2, 0.2, 0.3, 0.4}, std::vector<char>{1, 0, 1, 0, 0});
  EXPECT_EQ(roc_heading() + roc_lines("a,b", scores, 1),
            "set,threshold,far,tar\n\"a,b\",0.1,0,0.5\n\"a,b\",0.2,0.3333333333333333,1\n");
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
