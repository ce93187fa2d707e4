// Every file in recipes/ says what its table row here says, and nothing that the command does not take.
#include <gmock/gmock.h>

#include <filesystem>
#include <set>

#include "core/files/text_lines.h"
#include "tests/unit/trainer/config/parsed.h"

namespace facemae {
namespace {

const std::filesystem::path kFolder = FACEMAE_RECIPES;

struct RecipeRow {
  const char* name;
  const char* network;
  const char* margin;
  double people, images;
  double sample_rate;
  std::uint64_t batch;
  double lr, weight_decay;
  double epochs;  ///< 0: of `steps`
  std::uint64_t steps;
  double warmup_epochs;
  std::vector<double> milestones = {};
};

constexpr double kCasiaPeople = 10'572, kCasiaImages = 490'623, kMs1mv3People = 93'431,
                 kMs1mv3Images = 5'179'510, kGlintPeople = 360'232, kGlintImages = 17'091'657,
                 k4mPeople = 205'990, k4mImages = 4'235'242, k12mPeople = 617'970, k12mImages = 12'720'066,
                 kConflictPeople = 1'017'970, k42mPeople = 2'059'906, k42mImages = 42'474'557;

const std::vector<RecipeRow> kRows = {
    {"casia_r50_arcface",
     "iresnet50",
     "arcface",
     kCasiaPeople,
     kCasiaImages,
     1,
     512,
     0.1,
     5e-4,
     0,
     32'000,
     0,
     {0.625, 0.875}},
    {"casia_r18_adaface",
     "ir18",
     "adaface",
     kCasiaPeople,
     kCasiaImages,
     1,
     512,
     0.1,
     5e-4,
     26,
     0,
     0,
     {12, 20, 24}},
    {"casia_r50_adaface",
     "ir50",
     "adaface",
     kCasiaPeople,
     kCasiaImages,
     1,
     512,
     0.1,
     5e-4,
     26,
     0,
     0,
     {12, 20, 24}},
    {"ms1mv3_mbf", "mobilefacenet", "arcface", kMs1mv3People, kMs1mv3Images, 1, 1024, 0.1, 1e-4, 40, 0, 0},
    {"ms1mv3_r50", "iresnet50", "arcface", kMs1mv3People, kMs1mv3Images, 1, 1024, 0.1, 5e-4, 20, 0, 0},
    {"ms1mv3_r100", "iresnet100", "arcface", kMs1mv3People, kMs1mv3Images, 1, 1024, 0.1, 5e-4, 20, 0, 0},
    {"glint360k_r50", "iresnet50", "cosface", kGlintPeople, kGlintImages, 1, 1024, 0.1, 1e-4, 20, 0, 0},
    {"glint360k_r100", "iresnet100", "cosface", kGlintPeople, kGlintImages, 1, 1024, 0.1, 1e-4, 20, 0, 0},
    {"webface4m_mbf", "mobilefacenet", "cosface", k4mPeople, k4mImages, 1, 1024, 0.1, 1e-4, 20, 0, 0},
    {"webface4m_r50", "iresnet50", "cosface", k4mPeople, k4mImages, 1, 1024, 0.1, 5e-4, 20, 0, 0},
    {"webface4m_r100", "iresnet100", "cosface", k4mPeople, k4mImages, 1, 1024, 0.1, 5e-4, 20, 0, 0},
    {"webface4m_r50_adaface",
     "ir50",
     "adaface",
     k4mPeople,
     k4mImages,
     1,
     512,
     0.1,
     5e-4,
     26,
     0,
     0,
     {12, 20, 24}},
    {"webface12m_r100_pfc02", "iresnet100", "cosface", k12mPeople, k12mImages, 0.2, 1024, 0.1, 5e-4, 20, 0,
     0},
    {"webface12m_conflict_r50_pfc03", "iresnet50", "cosface", kConflictPeople, k12mImages, 0.3, 1024, 0.1,
     5e-4, 20, 0, 2},
    {"webface42m_r50_pfc02_8gpu", "iresnet50", "cosface", k42mPeople, k42mImages, 0.2, 4096, 0.4, 5e-4, 20, 0,
     2},
    {"webface42m_r50_pfc02_16gpu", "iresnet50", "cosface", k42mPeople, k42mImages, 0.2, 8192, 0.6, 5e-4, 20,
     0, 4},
    {"webface42m_r50_pfc02_32gpu", "iresnet50", "cosface", k42mPeople, k42mImages, 0.2, 4096, 0.4, 5e-4, 20,
     0, 2},
    {"webface42m_r100_pfc02_8gpu", "iresnet100", "cosface", k42mPeople, k42mImages, 0.2, 1024, 0.1, 5e-4, 20,
     0, 0},
    {"webface42m_r100_pfc02_16gpu", "iresnet100", "cosface", k42mPeople, k42mImages, 0.2, 2048, 0.2, 5e-4, 20,
     0, 2},
    {"webface42m_r100_pfc02_32gpu", "iresnet100", "cosface", k42mPeople, k42mImages, 0.2, 4096, 0.4, 5e-4, 20,
     0, 2},
    {"webface42m_r200_pfc03_32gpu", "iresnet200", "cosface", k42mPeople, k42mImages, 0.3, 4096, 0.4, 5e-4, 20,
     0, 2},
    {"webface42m_vit_t_pfc03", "vit-t", "cosface", k42mPeople, k42mImages, 0.3, 24576, 1e-3, 0.1, 40, 0, 4},
    {"webface42m_vit_b_pfc03", "vit-b", "cosface", k42mPeople, k42mImages, 0.3, 24576, 1e-3, 0.1, 40, 0, 4},
};

/// The words with which `recipe` is planned for a set that is not there.
std::vector<std::string> words_for(const std::string& recipe, const std::vector<std::string>& more) {
  std::vector<std::string> words = {"--config", (kFolder / recipe).string(), "--run", "r"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}
std::string whole_number(double value) { return std::to_string(static_cast<std::uint64_t>(value)); }

TEST(RecipeFiles, SayWhatTheirPublishedSettingsAre) {
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    RecognizeConfig config;
    ASSERT_EQ(
        test::faults_in(words_for(row.name, {"--dry-run", "--assume-identities", whole_number(row.people),
                                             "--assume-images", whole_number(row.images)}),
                        config),
        "");
    EXPECT_EQ(config.network, row.network);
    EXPECT_EQ(config.margin, row.margin);
    EXPECT_EQ(config.sample_rate, row.sample_rate);
    EXPECT_EQ(config.common.batch, row.batch);
    EXPECT_EQ(config.common.optimizer.weight_decay, row.weight_decay);
    const auto images = static_cast<std::uint64_t>(row.images);
    const Schedule curve = config.common.schedule_for(images);
    const double steps = row.epochs == 0
                             ? static_cast<double>(row.steps)
                             : std::ceil(row.epochs * row.images / static_cast<double>(row.batch));
    EXPECT_EQ(static_cast<double>(config.common.total_steps(images)), steps);
    EXPECT_EQ(curve.peak, row.lr);
    EXPECT_NEAR(curve.warmup * (row.epochs == 0 ? 1 : row.epochs), row.warmup_epochs, 1e-3);
    std::vector<double> falls = row.milestones;
    for (auto& at : falls)
      if (at >= 1) at /= row.epochs;
    EXPECT_EQ(curve.kind, falls.empty() ? "polynomial" : "multistep");
    if (!falls.empty()) {
      EXPECT_THAT(curve.milestones, testing::Pointwise(testing::DoubleNear(1e-3), falls));
    }
  }
}

TEST(RecipeFiles, OfFaceMaeAreThoseOfMae) {
  for (const auto& [name, model, batch, epochs] :
       {std::tuple{"facemae_base", "base", 4096u, 400.}, std::tuple{"facemae_large", "large", 4096u, 800.}}) {
    SCOPED_TRACE(name);
    PretrainConfig config;
    ASSERT_EQ(test::faults_in(words_for(name, {"--store", "s"}), config), "");
    EXPECT_EQ(config.model, model);
    EXPECT_EQ(config.common.batch, batch);
    const Schedule curve = config.common.schedule_for(1'000'000);
    EXPECT_NEAR(curve.peak, 1.5e-4 * batch / 256, 1e-12);
    EXPECT_NEAR(curve.warmup, 40 / epochs, 1e-3);
  }
  PretrainConfig tiny;
  ASSERT_EQ(test::faults_in(words_for("facemae_tiny_cpu", {"--store", "s"}), tiny), "");
  EXPECT_EQ(tiny.model, "tiny");
}

/// A heading, with where the settings are from and the command, in each.
TEST(RecipeFiles, AreAllInTheTableAndSayHowToUseThem) {
  std::set<std::string> known = {"facemae_tiny_cpu", "facemae_base", "facemae_large"}, found;
  for (const auto& row : kRows) known.insert(row.name);
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    found.insert(name);
    const auto text = read_text(Path(entry.path().string()));
    EXPECT_THAT(text, testing::HasSubstr("# Settings: ")) << name;
    EXPECT_THAT(text, testing::HasSubstr("--config recipes/" + name + " ")) << name;
    for (const char* counted : {"identities", "images ="})
      EXPECT_EQ(text.find(counted), std::string::npos) << name;
  }
  EXPECT_EQ(found, known);
}

}  // namespace
}  // namespace facemae
