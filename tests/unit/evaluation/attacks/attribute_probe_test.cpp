#include "evaluation/attacks/attribute_probe.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

constexpr std::int64_t kProbeClasses = 120, kProbeWidth = 20;

class AttributeProbe : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    torch::manual_seed(4);
    features_ = torch::randn({kProbeClasses, kProbeWidth});
    for (std::int64_t c = 0; c < kProbeClasses; ++c) people_.push_back({c});
  }
  /// What a direction of the features says, or (shuffled) what it says of someone else.
  std::vector<double> planted(bool shuffled) const {
    std::vector<double> values;
    const auto order = torch::randperm(kProbeClasses);
    for (std::int64_t c = 0; c < kProbeClasses; ++c)
      values.push_back(features_[shuffled ? order[c].item<std::int64_t>() : c][0].item<double>());
    return values;
  }
  torch::Tensor features_;
  std::vector<std::vector<std::int64_t>> people_;
};

TEST_F(AttributeProbe, FindsAPlantedAttributeAndNoneInShuffledOnes) {
  Attributes attributes{.names = {"planted"}, .values = {planted(false)}};
  constexpr int kShuffles = 12;
  for (int i = 0; i < kShuffles; ++i) {
    attributes.names.push_back("shuffled");
    attributes.values.push_back(planted(true));
  }
  const auto found = attribute_risks(features_, people_, attributes, "probe", 0);
  ASSERT_EQ(found.size(), 1U + kShuffles);
  EXPECT_EQ(found[0].of, "planted");
  EXPECT_EQ(found[0].people, kProbeClasses);
  EXPECT_GT(found[0].found.low, 0.4);
  double mean = 0;
  int wrong = 0;
  for (std::size_t i = 1; i < found.size(); ++i) {
    mean += found[i].found.value / kShuffles;
    wrong += found[i].found.low > 0 ? 1 : 0;
  }
  EXPECT_NEAR(mean, 0, 0.12);
  EXPECT_LE(wrong, 3);
}

TEST_F(AttributeProbe, GuessingWhatMostPeopleHaveIsNoRisk) {
  std::vector<double> rare(kProbeClasses, 0);
  for (std::size_t i = 0; i < rare.size(); i += 10) rare[i] = 1;
  const auto found = attribute_risks(features_, people_, {.names = {"rare"}, .values = {rare}}, "probe", 0);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(found[0].found.value, 0, 0.1) << "nine of ten guesses are right, as they are of anybody";
}

TEST_F(AttributeProbe, PassesOverWhatIsUnknown) {
  auto some = planted(false);
  for (std::size_t i = 0; i < some.size(); i += 2) some[i] = std::nan("");
  const std::vector<double> never(kProbeClasses, std::nan("")), same(kProbeClasses, 1);
  const auto found = attribute_risks(
      features_, people_, {.names = {"some", "never", "same"}, .values = {some, never, same}}, "probe", 0);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].people, kProbeClasses / 2);
  EXPECT_THROW(attribute_risks(features_.narrow(0, 0, 3), {{0}, {1}, {2}}, {}, "probe", 0), ConfigError);
}

TEST_F(AttributeProbe, MeansAreOfClasses) {
  const auto means = class_means(torch::tensor({{1.F}, {3.F}, {5.F}}), {0, 0, 2}, 3);
  EXPECT_TRUE(means.equal(torch::tensor({{2.F}, {0.F}, {5.F}})));
}

}  // namespace
}  // namespace facemae
