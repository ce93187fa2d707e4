#include "evaluation/attacks/membership.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

namespace facemae {
namespace {

TEST(Auc, IsTheShareOfPairsInOrder) {
  const std::vector<double> members{3, 2, 2}, strangers{1, 2};
  EXPECT_NEAR(auc_of(members, strangers), (2 + 1.5 + 1.5) / 6, 1e-12);
  EXPECT_EQ(auc_of(strangers, strangers), 0.5);
}

TEST(Dsys, IsOneWhereScoresPartAndNoughtWhereTheyAgree) {
  std::vector<double> low, high;
  for (int i = 0; i < 1000; ++i) {
    low.push_back(i % 100);
    high.push_back(200 + i % 100);
  }
  EXPECT_NEAR(dsys_of(high, low), 1, 1e-12);
  EXPECT_EQ(dsys_of(low, low), 0);
  // Half of the members score like strangers, half apart: D is 0 there and 1 here.
  std::vector<double> mixed(low.begin(), low.begin() + 500);
  mixed.insert(mixed.end(), high.begin(), high.begin() + 500);
  EXPECT_NEAR(dsys_of(mixed, low), 0.5, 1e-12) << "where they agree, LR is a half";
}

TEST(Membership, CountsAtARateThatEnoughStrangersFix) {
  // 100 members of scores 100 to 199, 1,000 strangers of 0 to 999 tenths.
  Target target;
  target.members = 100;
  target.real.people_count = 1100;
  target.released.class_count = 2;
  target.links.people_of_class = {{0}, {1}};
  for (std::int64_t p = 0; p < 1100; ++p) target.known_as.push_back(p);
  auto scores = torch::zeros({1100, 2});
  for (std::int64_t p = 0; p < 1100; ++p)
    scores[p][p % 2] = p < 100 ? 90 + static_cast<float>(p) / 10 : static_cast<float>(p - 100) / 10;
  MembershipTest test("A0 pixels, means");
  test.add({Level::PersonToClass, "means", scores, {}, {}}, target);
  const auto rows = test.at_fixed_rates();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].chance, 0.05);
  EXPECT_EQ(rows[1].chance, 0.01);
  EXPECT_NEAR(rows[0].found.value, 0.50, 1e-6) << "94.9 is passed by 50 strangers";
  EXPECT_NEAR(rows[1].found.value, 0.10, 1e-6) << "98.9 is passed by 10";
  EXPECT_EQ(rows[0].level, Level::Membership);
  EXPECT_NEAR(test.result()->auc, 0.95, 0.001);
}

}  // namespace
}  // namespace facemae
