#include "evaluation/statistics/rmia.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

using testing::ElementsAre;

TEST(Rmia, ComparesWithTheMeanLikelihoodOfTheReferences) {
  EXPECT_NEAR(relative_score({.target = 3, .references = {2}}), 1, 1e-12);
  EXPECT_NEAR(relative_score({.target = 0, .references = {std::log(1), std::log(3)}}), -std::log(2), 1e-12);
  EXPECT_NEAR(relative_score({.target = 5000, .references = {4000, 4000}}), 1000, 1e-9) << "no overflow";
  EXPECT_THROW(relative_score({.target = 1}), ConfigError);
}

TEST(Rmia, AnEasyFaceIsNoMember) {
  // Both models find the second person easy; the first one only the model under attack does.
  const double member = relative_score({.target = 2, .references = {1}}),
               easy = relative_score({.target = 9, .references = {9}});
  EXPECT_GT(member, easy);
}

TEST(Rmia, CountsWhomSomeoneExceedsLeavingThemselvesOut) {
  const std::vector<double> relative{1.0, 0.2, -1.0}, population{0.0, 0.2, 0.5};
  const std::vector<std::int64_t> own{-1, 1, -1};
  EXPECT_THAT(rmia_scores(relative, own, population), ElementsAre(1, 0.5, 0));
  EXPECT_THAT(rmia_scores(relative, own, population, std::exp(0.6)), ElementsAre(2.0 / 3, 0, 0));
}

}  // namespace
}  // namespace facemae
