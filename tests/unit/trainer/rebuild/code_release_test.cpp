#include "trainer/rebuild/code_release.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"

namespace facemae {
namespace {

using testing_stores::make_store;

TEST(NoiseOfACode, IsNamedByMu) {
  EXPECT_EQ(mu_of_noise("mu:1"), 1.0);
  EXPECT_EQ(mu_of_noise("mu:0.125"), 0.125);
  EXPECT_EQ(mu_of_noise("none"), std::nullopt);
  for (const char* bad : {"", "1", "mu:", "mu:0", "mu:0.1", "mu:17", "mu:1x", "mu:nan", "mu:inf", "eps:1"})
    EXPECT_THROW(mu_of_noise(bad), ConfigError) << bad;
}

TEST(SumOfCodes, MovesByTwoAtMostWhenAPhotoIsReplaced) {
  torch::manual_seed(1);
  double farthest = 0;
  for (int trial = 0; trial < 50; ++trial) {
    auto codes = torch::nn::functional::normalize(torch::randn({5, 8}));  // of length 1, or a little above it
    auto replaced = codes.clone();
    replaced[2] = trial % 2 == 0
                      ? -codes[2]
                      : torch::nn::functional::normalize(
                            torch::randn({8}), torch::nn::functional::NormalizeFuncOptions().dim(0));
    const auto a = sum_of_codes(codes), b = sum_of_codes(replaced);
    double square = 0;
    for (std::size_t i = 0; i < a.size(); ++i) square += std::pow(static_cast<double>(a[i] - b[i]), 2);
    farthest = std::max(farthest, std::sqrt(square) / static_cast<double>(kCodeStep));
  }
  EXPECT_LE(farthest, 2);
  EXPECT_GT(farthest, 1.99) << "the opposite code is the farthest";
}

TEST(SumOfCodes, ShortensWhatIsLongerThanOne) {
  const auto sum = sum_of_codes(torch::tensor({{0.8 + 1e-7, 0.6}}, torch::kFloat64));
  EXPECT_LE(std::hypot(static_cast<double>(sum[0]), static_cast<double>(sum[1])),
            static_cast<double>(kCodeStep));
  EXPECT_NEAR(static_cast<double>(sum[0]) / static_cast<double>(kCodeStep), 0.8, 1e-5);
}

TEST(NoisyMean, HasNoiseOfTwoOverPhotosTimesMu) {
  const std::vector<std::int64_t> sum(2000, 3 * kCodeStep);
  const auto found = noisy_mean(sum, 10, SecretKey{{4}}, 0.5).to(torch::kFloat64);
  constexpr double wanted = 2 / (10 * 0.5);
  EXPECT_NEAR(found.mean().item<double>(), 0.3, 5 * wanted / std::sqrt(2000.0));
  EXPECT_NEAR(found.std().item<double>(), wanted, 5 * wanted / std::sqrt(4000.0));
  EXPECT_TRUE(torch::equal(noisy_mean(sum, 10, SecretKey{{4}}, 0.5).to(torch::kFloat64), found));
  EXPECT_FALSE(torch::equal(noisy_mean(sum, 10, SecretKey{{5}}, 0.5).to(torch::kFloat64), found));
  EXPECT_TRUE(torch::equal(noisy_mean(sum, 10, SecretKey{{4}}, {}), torch::full({2000}, 0.3F)));
}

class CodeReleases : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    model_ = test::small_model(16, 4);
    source_ = make_store(folder_ / "s", {3, 4});
    nuisance_ = make_store(folder_ / "n", {5}, 16,
                           [](std::uint64_t row) { return testing_stores::tiny_picture(90 + row); });
  }
  std::unique_ptr<CodeRelease> release(std::optional<double> mu, std::uint8_t key = 8) {
    auto made = std::make_unique<CodeRelease>(*source_, *nuisance_, model_, torch::kCPU,
                                              CodeReleaseConfig{.mask_ratio = 0.5,
                                                                .mask_key = SecretKey{{1}},
                                                                .noise_key = SecretKey{{key}},
                                                                .mu = mu,
                                                                .png = true,
                                                                .batch = 2});
    made->add_group(0, {0, 2, 4});
    made->add_group(1, {1, 3, 5, 6});
    return made;
  }
  std::vector<std::vector<std::byte>> pictures(CodeRelease& of, std::uint64_t first,
                                               std::vector<std::int64_t> labels) {
    return of.pictures(first, labels, [](std::size_t) {});
  }
  test::TemporaryFolder folder_;
  FaceMae model_{nullptr};
  std::shared_ptr<const Store> source_, nuisance_;
};

TEST_F(CodeReleases, DrawTheNoiseOfAGroupOnceAndTheSameAfterARestart) {
  const auto one = release(1), again = release(1), other_key = release(1, 9), none = release({});
  const auto code = one->code_of(1);
  EXPECT_TRUE(torch::equal(one->code_of(1), code));
  again->code_of(0);  // in another order
  EXPECT_TRUE(torch::equal(again->code_of(1), code));
  EXPECT_FALSE(torch::equal(one->code_of(0), code));
  EXPECT_GT((other_key->code_of(1) - code).norm().item<double>(), 0.01);
  EXPECT_LE(none->code_of(1).norm().item<double>(), 1);
  EXPECT_GT((none->code_of(1) - code).norm().item<double>(), 0.01);
}

TEST_F(CodeReleases, MakePicturesOfTheNoisyCodeAndOthersPatchesAlone) {
  const auto whole = release(1), halves = release(1);
  const auto made = pictures(*whole, 0, {0, 1, 0, 1, 1});
  ASSERT_EQ(made.size(), 5U);
  EXPECT_NE(made[0], made[2]) << "their nuisances differ";
  auto first = pictures(*halves, 0, {0, 1}), second = pictures(*halves, 2, {0, 1, 1});
  first.insert(first.end(), second.begin(), second.end());
  EXPECT_EQ(first, made) << "whatever is made in one go";

  // Other photos with the same code and noise would give the same pictures: nothing else of the photos is used.
  const torch::NoGradGuard no_grad;
  model_->code_in->weight.zero_();
  const auto blind = release(1), of_others = release(1);
  of_others->add_group(0, {5, 6, 1});
  EXPECT_EQ(pictures(*blind, 0, {0}), pictures(*of_others, 0, {0}));
}

}  // namespace
}  // namespace facemae
