#include "evaluation/campaign/membership.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

namespace facemae {
namespace {

/// 100 members of scores 90.0 to 99.9, 400 strangers of 0 to 99.75.
Target people() {
  Target target;
  target.members = 100;
  target.real.people_count = 500;
  target.released.class_count = 2;
  target.links.people_of_class = {{0}, {1}};
  for (std::int64_t p = 0; p < 500; ++p) target.known_as.push_back(1000 + p);
  return target;
}

Search scores() {
  auto scores = torch::zeros({500, 2});
  for (std::int64_t p = 0; p < 500; ++p)
    scores[p][p % 2] = p < 100 ? 90 + static_cast<float>(p) / 10 : static_cast<float>(p - 100) / 4;
  return {Level::PersonToClass, "means", scores, {}, {}};
}

TEST(Membership, CountsAtARateThatEnoughStrangersFix) {
  MembershipTest test("A0 pixels, means");
  test.add(scores(), people());
  const auto rows = test.measurements();
  ASSERT_EQ(rows.size(), 1U) << "1 % of 400 strangers are too few";
  EXPECT_EQ(rows[0].chance, 0.05);
  EXPECT_EQ(rows[0].level, Level::Membership);
  EXPECT_EQ(rows[0].nonmembers, 400);
  EXPECT_EQ(rows[0].tallies.front().person, 1000);
  EXPECT_NEAR(rows[0].found.value, 0.50, 0.03) << "95 is passed by 20 strangers";
  EXPECT_EQ(test.figures().front().metric, "membership_auc");
  EXPECT_NEAR(test.figures().front().found.value, 0.95, 0.005);
}

TEST(Membership, IsTheMeanOfItsFolds) {
  MembershipTest once("A0"), twice("A0");
  once.add(scores(), people());
  twice.add(scores(), people());
  twice.add(scores(), people());
  EXPECT_NEAR(twice.measurements()[0].found.value, once.measurements()[0].found.value, 1e-12);
  EXPECT_EQ(twice.measurements()[0].tallies.size(), 200U);
  EXPECT_EQ(twice.figures().front().people, 200);
}

TEST(Membership, HasControlsByTheAreaUnderTheCurve) {
  MembershipTest test("A0");
  test.add(scores(), people());
  Planted planted{people(), std::vector<bool>(500)};
  for (std::size_t p = 90; p < 100; ++p) planted.people[p] = true;  // the best members
  test.add_planted(scores(), planted);
  const auto controls = test.controls();
  ASSERT_EQ(controls.size(), 2U);
  EXPECT_EQ(controls[0].control, kPlanted);
  EXPECT_TRUE(controls[0].works);
  EXPECT_NEAR(controls[0].found.value, 0.995, 0.003);
  EXPECT_EQ(controls[1].control, kShuffled);
  EXPECT_TRUE(controls[1].works);
  EXPECT_NEAR(controls[1].found.value, 0.5, 0.05);
  MembershipTest weak("A0");
  planted.people.assign(500, false);
  planted.people[0] = true;  // as strangers are
  weak.add_planted(scores(), planted);
  EXPECT_FALSE(weak.controls().at(0).works);
}

TEST(Membership, DrawsPeopleOfOneClassTogether) {
  Target together = people();
  together.links.people_of_class.clear();
  for (std::int64_t c = 0; c < 10; ++c) {  // neighbours, whose scores are alike
    together.links.people_of_class.emplace_back();
    for (std::int64_t i = 0; i < 10; ++i) together.links.people_of_class.back().push_back(10 * c + i);
  }
  MembershipTest alone("A0"), in_classes("A0");
  alone.add(scores(), people());
  in_classes.add(scores(), together);
  const auto width = [](const MembershipTest& test) {
    const Figure area = test.figures().front().found;
    return area.high - area.low;
  };
  EXPECT_GT(width(in_classes), 1.5 * width(alone));
  EXPECT_EQ(in_classes.measurements()[0].tallies.at(15).unit(), 1010);
}

TEST(Membership, SaysNothingWithoutStrangers) {
  MembershipTest test("A0");
  Target all = people();
  all.members = 500;
  test.add(scores(), all);
  EXPECT_TRUE(test.measurements().empty());
  EXPECT_TRUE(test.figures().empty());
}

}  // namespace
}  // namespace facemae
