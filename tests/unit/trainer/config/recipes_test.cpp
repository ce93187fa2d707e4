// Learning rates of published recipes, as options of `recognize`, against their closed forms: those of arcface_torch's
// configurations, of AdaFace, CVLface, MagFace, CurricularFace and TFace, and of ArcFace's paper.
#include <gmock/gmock.h>

#include <cmath>

#include "tests/unit/trainer/config/parsed.h"

namespace facemae {
namespace {

constexpr double kMs1mv2 = 5'822'653, kMs1mv3 = 5'179'510, kGlint360k = 17'091'657, kWebFace4m = 4'235'242,
                 kWebFace12m = 12'720'066, kWebFace42m = 42'474'557, kCasia = 490'623;

struct Recipe {
  const char* name;
  double images, batch, lr, epochs, warmup_epochs;
};

/// Of arcface_torch: `batch` is that of all GPUs.
constexpr Recipe kArcFaceTorch[] = {
    {"ms1mv2_mbf", kMs1mv2, 1024, 0.1, 40, 0},
    {"ms1mv2_r50, r100", kMs1mv2, 1024, 0.1, 20, 0},
    {"ms1mv3_mbf", kMs1mv3, 1024, 0.1, 40, 0},
    {"ms1mv3_r50, r100", kMs1mv3, 1024, 0.1, 20, 0},
    {"ms1mv3_r50_onegpu", kMs1mv3, 128, 0.02, 20, 0},
    {"glint360k", kGlint360k, 1024, 0.1, 20, 0},
    {"wf4m_mbf, r50, r100", kWebFace4m, 1024, 0.1, 20, 0},
    {"wf12m", kWebFace12m, 1024, 0.1, 20, 0},
    {"wf12m_conflict_r50", kWebFace12m, 1024, 0.1, 20, 2},
    {"wf42m_pfc02_8gpus_r50_bs4k", kWebFace42m, 4096, 0.4, 20, 2},
    {"wf42m_pfc02_16gpus_r50_bs8k", kWebFace42m, 8192, 0.6, 20, 4},
    {"wf42m_pfc02_16gpus_r100", kWebFace42m, 4096, 0.3, 20, 1},
    {"wf42m_pfc02_r100", kWebFace42m, 1024, 0.1, 20, 0},
    {"wf42m_pfc02_r100_16gpus", kWebFace42m, 2048, 0.2, 20, 2},
    {"wf42m_pfc02_r100_32gpus", kWebFace42m, 4096, 0.4, 20, 2},
    {"wf42m_pfc0008_32gpu_r100", kWebFace42m, 16384, 0.4, 20, 2},
    {"wf42m_pfc02_16gpus_mbf_bs8k", kWebFace42m, 8192, 0.4, 20, 2},
    {"wf42m_pfc03_40epoch_64gpu_vit", kWebFace42m, 24576, 1e-3, 40, 4},
    {"wf42m_pfc03_40epoch_8gpu_vit_t", kWebFace42m, 4096, 1e-3, 40, 4},
    {"wf42m_pfc02_vit_h, of one GPU", kWebFace42m, 768, 1e-3, 16, 2},
};

std::string text_of(double number) { return fmt::format("{}", number); }

RecognizeConfig run_of(const Recipe& recipe, const std::vector<std::string>& more) {
  RecognizeConfig config;
  std::vector<std::string> words = {"--lr", text_of(recipe.lr)};
  words.insert(words.end(), more.begin(), more.end());
  EXPECT_EQ(test::faults_of(words, config), "") << recipe.name;
  config.common.batch = static_cast<std::uint64_t>(recipe.batch);
  return config;
}

/// Steps of a run that are looked at: some of all, the first and last ones, and those around `places`.
std::vector<std::uint64_t> steps_to_see(std::uint64_t total, const std::vector<double>& places = {}) {
  std::vector<std::uint64_t> steps;
  for (std::uint64_t i = 0; i <= 200; ++i) steps.push_back(i * (total - 1) / 200);
  for (const double place : places)
    for (const double near :
         {std::floor(place) - 1, std::floor(place), std::ceil(place), std::ceil(place) + 1})
      if (near >= 0 && near < static_cast<double>(total)) steps.push_back(static_cast<std::uint64_t>(near));
  return steps;
}

/// The rate there at step k = 1, 2, ... (at its first step it is at the peak also with a warm-up, which is not wanted):
/// b k / w up to w, then b (1 - (k - w) / (t - w)).
double arcface_torch(const Recipe& r, double k, double per_epoch) {
  const double w = per_epoch * r.warmup_epochs, t = per_epoch * r.epochs;
  return k < w ? r.lr * k / w : r.lr * (1 - (k - w) / (t - w));
}

TEST(Recipes, OfArcFaceTorchHaveItsRatesWhenTheirStepsAreGiven) {
  for (const auto& recipe : kArcFaceTorch) {
    const double per_epoch = std::floor(recipe.images / recipe.batch);
    const auto config =
        run_of(recipe, {"--schedule", "polynomial", "--steps", text_of(per_epoch * recipe.epochs),
                        "--warmup-steps", text_of(per_epoch * recipe.warmup_epochs)});
    const Schedule curve = config.common.schedule_for(static_cast<std::uint64_t>(recipe.images));
    for (const auto step : steps_to_see(config.common.total_steps(1), {per_epoch * recipe.warmup_epochs}))
      EXPECT_NEAR(curve.at(step * config.common.batch),
                  arcface_torch(recipe, static_cast<double>(step), per_epoch), 1e-12 * recipe.lr)
          << recipe.name << ", step " << step;
  }
}

/// An epoch there leaves out its last images, which are no whole batch: its runs are shorter by less than a step an epoch.
TEST(Recipes, OfArcFaceTorchHaveNearlyItsRatesWhenTheirEpochsAreGiven) {
  for (const auto& recipe : kArcFaceTorch) {
    const double per_epoch = recipe.images / recipe.batch;
    const auto config = run_of(recipe, {"--schedule", "polynomial", "--epochs", text_of(recipe.epochs),
                                        "--warmup-epochs", text_of(recipe.warmup_epochs)});
    const Schedule curve = config.common.schedule_for(static_cast<std::uint64_t>(recipe.images));
    const auto total = config.common.total_steps(static_cast<std::uint64_t>(recipe.images));
    EXPECT_EQ(total, static_cast<std::uint64_t>(std::ceil(per_epoch * recipe.epochs)));
    const double slack = recipe.lr * 2 * recipe.epochs / static_cast<double>(total);
    for (const auto step : steps_to_see(total, {per_epoch * recipe.warmup_epochs}))
      EXPECT_NEAR(curve.at(step * config.common.batch),
                  std::max(0.0, arcface_torch(recipe, static_cast<double>(step), std::floor(per_epoch))),
                  slack)
          << recipe.name << ", step " << step;
  }
}

struct Stepwise {
  Recipe recipe;
  std::vector<double> milestones;  ///< epochs, at each of which the rate falls tenfold
};
const std::vector<Stepwise> kStepwise = {
    {{"AdaFace, MS1MV2", kMs1mv2, 512, 0.1, 26, 0}, {12, 20, 24}},
    {{"AdaFace, WebFace4M", kWebFace4m, 512, 0.1, 26, 0}, {12, 20, 24}},
    {{"CVLface, CASIA-WebFace", kCasia, 1792, 0.1, 26, 1}, {12, 20, 24}},
    {{"MagFace", kMs1mv2, 512, 0.1, 25, 0}, {10, 18, 22}},
    {{"CurricularFace", kMs1mv2, 512, 0.1, 24, 0}, {10, 18, 22}},
    {{"TFace", kMs1mv2, 512, 0.1, 20, 0}, {8, 12, 15, 18}},
};

TEST(Recipes, ThatFallTenfoldAtEpochsDoSoWithTheFirstImageOfThese) {
  for (const auto& [recipe, milestones] : kStepwise) {
    std::vector<std::string> words = {
        "--schedule",           "multistep",   "--warmup-epochs", text_of(recipe.warmup_epochs), "--epochs",
        text_of(recipe.epochs), "--milestones"};
    for (const double at : milestones) words.push_back(text_of(at));
    const auto config = run_of(recipe, words);
    const auto images = static_cast<std::uint64_t>(recipe.images);
    const Schedule curve = config.common.schedule_for(images);
    const double per_epoch = recipe.images / recipe.batch;
    std::vector<double> places = {per_epoch * recipe.warmup_epochs};
    for (const double at : milestones) places.push_back(per_epoch * at);
    for (const auto step : steps_to_see(config.common.total_steps(images), places)) {
      const double epoch = static_cast<double>(step) * recipe.batch / recipe.images;
      const auto passed =
          std::count_if(milestones.begin(), milestones.end(), [&](double at) { return epoch >= at; });
      const double expected = epoch < recipe.warmup_epochs
                                  ? recipe.lr * epoch / recipe.warmup_epochs
                                  : recipe.lr * std::pow(10, -static_cast<double>(passed));
      EXPECT_NEAR(curve.at(step * config.common.batch), expected, 1e-12 * recipe.lr)
          << recipe.name << ", step " << step;
    }
  }
}

TEST(Recipes, OfArcFacesPaperFallTenfoldAtTwentyAndTwentyEightThousandSteps) {
  const Recipe casia{"ArcFace, CASIA-WebFace", kCasia, 512, 0.1, 0, 0};
  const auto config = run_of(casia, {"--schedule", "multistep", "--steps", "32000", "--milestones", "0.625",
                                     "0.875", "--warmup", "0"});
  const Schedule curve = config.common.schedule_for(static_cast<std::uint64_t>(kCasia));
  for (const auto& [step, rate] : std::initializer_list<std::pair<std::uint64_t, double>>{
           {0, 0.1}, {19'999, 0.1}, {20'000, 0.01}, {27'999, 0.01}, {28'000, 0.001}, {31'999, 0.001}})
    EXPECT_NEAR(curve.at(step * 512), rate, 1e-13) << step;
}

/// CVLface's cosine runs, and those that fall with the square of what is left.
TEST(Recipes, OfCvlfaceFallAlongACosineOrASquare) {
  const Recipe vit{"CVLface, WebFace4M", kWebFace4m, 1024, 1e-4, 20, 1};
  for (const bool square : {false, true}) {
    std::vector<std::string> words = {"--epochs", "20",         "--warmup-epochs",
                                      "1",        "--schedule", square ? "polynomial" : "cosine"};
    if (square) words.insert(words.end(), {"--power", "2"});
    const auto config = run_of(vit, words);
    const auto images = static_cast<std::uint64_t>(vit.images);
    const Schedule curve = config.common.schedule_for(images);
    const auto total = config.common.total_steps(images);
    const double w = vit.images / vit.batch, t = static_cast<double>(total);
    for (const auto step : steps_to_see(total, {w})) {
      const auto k = static_cast<double>(step);
      const double left = 1 - (k - w) / (t - w);
      const double fallen = square ? left * left : 0.5 * (1 - std::cos(M_PI * left));
      EXPECT_NEAR(curve.at(step * config.common.batch), vit.lr * (k < w ? k / w : fallen), 1e-12 * vit.lr)
          << step << (square ? " square" : " cosine");
    }
  }
}

}  // namespace
}  // namespace facemae
