#include "evaluation/report/scatter.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <regex>
#include <vector>

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::vector<double> numbers(const std::string& svg, const std::string& pattern) {
  std::vector<double> all;
  const std::regex look(pattern);
  for (std::sregex_iterator it(svg.begin(), svg.end(), look), end; it != end; ++it)
    all.push_back(std::stod((*it)[1]));
  return all;
}

TEST(Scatter, PlacesPointsByTheirFigures) {
  const std::vector<ScatterPoint> points{{"high", {0.1, 0.05, 0.2}, {0.9, 0.85, 0.95}},
                                         {"low", {0.01, 0, 0.02}, {0.6, kNone, kNone}}};
  const std::string svg = scatter_svg(points, "odds", "utility");
  const auto x = numbers(svg, "<circle class=\"point\" cx=\"([0-9.]+)\"");
  const auto y = numbers(svg, "cy=\"([0-9.]+)\"");
  ASSERT_EQ(x.size(), 2u);
  EXPECT_GT(x[0], x[1]);
  EXPECT_LT(y[0], y[1]) << "more is higher";
  EXPECT_NEAR(x[0] - 64, 2 * (x[1] - 64), 0.2) << "a logarithmic axis from 0.1 %";
  EXPECT_EQ(numbers(svg, "class=\"whisker\" x1=\"([0-9.]+)\"").size(), 3u)
      << "one has no interval of utility";
}

TEST(Scatter, KeepsNamesApartWithinTheDrawing) {
  const std::vector<ScatterPoint> points(20, {"same", {0.5, 0.4, 0.6}, {0.7, 0.69, 0.71}});
  auto heights = numbers(scatter_svg(points, "x", "y"), "y=\"([0-9.]+)\" text-anchor=\"start\"");
  ASSERT_EQ(heights.size(), points.size());
  for (std::size_t i = 1; i < heights.size(); ++i) EXPECT_GE(heights[i] - heights[i - 1], 13.9);
  EXPECT_GE(heights.front(), 0);
  EXPECT_LE(heights.back(), 460);
}

TEST(Scatter, EscapesNamesAndLeavesOutWhatHasNoFigure) {
  const std::vector<ScatterPoint> points{{"<b>", {0.5, 0.4, 0.6}, {0.7, kNone, kNone}},
                                         {"none", {kNone, 0, 1}, {0.7, 0.6, 0.8}}};
  const std::string svg = scatter_svg(points, "<x>", "y");
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, Not(HasSubstr("none")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_EQ(scatter_svg({}, "x", "y"), "");
}

}  // namespace
}  // namespace facemae
