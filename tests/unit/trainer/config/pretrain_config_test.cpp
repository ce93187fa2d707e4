#include <gmock/gmock.h>

#include "tests/unit/trainer/config/parsed.h"
#include "trainer/config/run_config.h"

namespace facemae {
namespace {

using testing::HasSubstr;

std::string faults_of(const std::vector<std::string>& words) {
  PretrainConfig config;
  return test::faults_in(words, config);
}

TEST(PretrainConfig, ReportsAllFaultsAtOnceWithTheNearestNames) {
  const std::string faults = faults_of({"--store",           "s",    "--run",   "r",     "--btach",      "8",
                                        "--batch",           "8",    "--steps", "10",    "--epochs",     "1",
                                        "--mask-ratio",      "1.5",  "--model", "tinny", "--accumulate", "x",
                                        "--relation-weight", "auto:"});
  EXPECT_THAT(faults, HasSubstr("unknown option --btach: did you mean --batch?"));
  EXPECT_THAT(faults, HasSubstr("give one of --steps and --epochs"));
  EXPECT_THAT(faults, HasSubstr("--mask-ratio must be above 0 and below 1, not 1.5"));
  EXPECT_THAT(faults, HasSubstr("\"tinny\" is unknown: did you mean tiny?"));
  EXPECT_THAT(faults, HasSubstr("--accumulate: \"x\" is not a whole number"));
  EXPECT_THAT(faults, HasSubstr("--relation-weight"));
}

TEST(PretrainConfig, NamesWhatIsMissing) {
  const std::string faults = faults_of({"--steps", "3"});
  EXPECT_THAT(faults, HasSubstr("--store is missing"));
  EXPECT_THAT(faults, HasSubstr("--run is missing"));
  EXPECT_THAT(faults, HasSubstr("--batch is missing"));
}

TEST(PretrainConfig, AcceptsASensibleRun) {
  EXPECT_EQ(faults_of({"--store", "s", "--run", "r", "--batch", "64", "--epochs", "2.5", "--relation-weight",
                       "auto:0.3"}),
            "");
}

TEST(PretrainConfig, RefusesNumbersThatMeanNothing) {
  const std::vector<std::pair<const char*, const char*>> silly = {{"epochs", "inf"},
                                                                  {"epochs", "1e300"},
                                                                  {"lr", "inf"},
                                                                  {"lr", "nan"},
                                                                  {"weight-decay", "nan"},
                                                                  {"weight-decay", "-1"},
                                                                  {"beta1", "1"},
                                                                  {"beta2", "nan"},
                                                                  {"momentum", "-0.1"},
                                                                  {"reconstruction-weight", "inf"},
                                                                  {"relation-weight", "nan"},
                                                                  {"relation-weight", "inf"},
                                                                  {"relation-weight", "auto:0"},
                                                                  {"relation-weight", "1x"},
                                                                  {"max-hours", "nan"},
                                                                  {"max-hours", "-1"},
                                                                  {"peer-deadline", "1e300"},
                                                                  {"hang-limit", "1e300"},
                                                                  {"read-patience", "1e300"},
                                                                  {"save-minutes", "1e300"},
                                                                  {"threads", "100000"},
                                                                  {"workers", "100000"},
                                                                  {"block-cache-mib", "18446744073709551615"},
                                                                  {"order-block", "18446744073709551615"},
                                                                  {"batch", "18446744073709551615"},
                                                                  {"steps", "18446744073709551615"}};
  for (const auto& [name, value] : silly) {
    std::vector<std::string> words = {"--store", "s", "--run", "r", "--" + std::string(name), value};
    const std::string option = name;
    if (option != "batch") words.insert(words.end(), {"--batch", "64"});
    if (option != "epochs" && option != "steps") words.insert(words.end(), {"--steps", "10"});
    EXPECT_THAT(faults_of(words), HasSubstr(option)) << option << " " << value;
  }
}

TEST(PretrainConfig, RefusesGroupsThatMicroBatchesTearApart) {
  const std::vector<std::string> run = {"--store", "s", "--run", "r", "--steps", "9", "--order", "balanced"};
  const auto with = [&](const std::vector<std::string>& more) {
    auto words = run;
    words.insert(words.end(), more.begin(), more.end());
    return faults_of(words);
  };
  EXPECT_EQ(with({"--batch", "24", "--accumulate", "2", "--order-images-per-identity", "6"}), "");
  EXPECT_THAT(with({"--batch", "24", "--accumulate", "3", "--order-images-per-identity", "6"}),
              HasSubstr("--order balanced"));
  EXPECT_THAT(with({"--batch", "24", "--data-mode", "replica"}), HasSubstr("--local-dir"));
}

TEST(PretrainConfig, TakesSetsOfABlendInTheBalancedOrder) {
  PretrainConfig config;
  config.common.batch = 48;
  EXPECT_FALSE(config.sets());
  EXPECT_EQ(run_config_of(config).together, 1U);
  config.blend = "people:4";
  config.blend_images = 8;
  const RunConfig run = run_config_of(config);
  EXPECT_EQ(run.order.kind, "balanced");
  EXPECT_EQ(run.order.images_per_identity, 2U);
  EXPECT_EQ(run.together, 8U);
  EXPECT_TRUE(config.relates_blends());
  config.relation_target = "face";
  EXPECT_FALSE(config.relates_blends());
}

TEST(PretrainConfig, RefusesBlendsThatCannotBe) {
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--store", "s", "--run", "r", "--steps", "9"});
    return faults_of(words);
  };
  EXPECT_EQ(with({"--batch", "64", "--blend", "people:4"}), "");
  EXPECT_EQ(with({"--batch", "64", "--blend", "people:4", "--reconstruction", "none"}), "");
  EXPECT_EQ(with({"--batch", "64", "--blend", "people:4", "--order", "balanced",
                  "--order-images-per-identity", "4"}),
            "");
  for (const char* bad : {"4", "people", "people:", "people:0", "people:4x", "persons:4", "people:-1"})
    EXPECT_THAT(with({"--batch", "64", "--blend", bad}), HasSubstr("--blend is people:K")) << bad;
  EXPECT_THAT(with({"--batch", "64", "--blend", "photos"}), HasSubstr("shows that person"));
  EXPECT_THAT(with({"--batch", "64", "--blend-images", "8"}), HasSubstr("add it"));
  EXPECT_THAT(with({"--batch", "64", "--relation-target", "blend"}), HasSubstr("add it"));
  EXPECT_THAT(with({"--batch", "60", "--blend", "people:4", "--blend-images", "10"}),
              HasSubstr("multiple of 4"));
  EXPECT_THAT(with({"--batch", "64", "--blend", "people:4", "--accumulate", "3"}),
              HasSubstr("multiple of 48, not 64"));
  EXPECT_THAT(with({"--batch", "64", "--blend", "people:4", "--blend-min-people", "5"}),
              HasSubstr("4 people of a picture"));
  EXPECT_THAT(with({"--batch", "64", "--blend", "people:4", "--order", "uniform"}),
              HasSubstr("leave out --order uniform"));
  EXPECT_THAT(with({"--batch", "64", "--blend", "people:4", "--order-images-per-identity", "2"}),
              HasSubstr("leave out --order-images-per-identity 2"));
  EXPECT_THAT(with({"--batch", "64", "--blend", "people:4", "--reconstruction", "hidden"}),
              HasSubstr("no hidden patches"));
  EXPECT_THAT(with({"--batch", "16", "--blend", "people:4"}), HasSubstr("at least 2 blended pictures"));
  EXPECT_THAT(with({"--batch", "64", "--blend", "people:4", "--exact"}), HasSubstr("some of the 8 slots"));
}

TEST(PretrainConfig, TakesPairsOfSetsForACode) {
  PretrainConfig config;
  config.code = 32;
  config.blend_images = 8;
  const RunConfig run = run_config_of(config);
  EXPECT_EQ(run.order.kind, "balanced");
  EXPECT_EQ(run.order.images_per_identity, 8U);
  EXPECT_EQ(run.together, 16U);
  EXPECT_TRUE(config.relates_blends());
}

TEST(PretrainConfig, RefusesCodesAndLinkagesThatCannotBe) {
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--store", "s", "--run", "r", "--steps", "9"});
    return faults_of(words);
  };
  EXPECT_EQ(with({"--batch", "64", "--code", "32"}), "");
  EXPECT_EQ(with({"--batch", "32", "--code", "32"}), "") << "a pair of pictures";
  EXPECT_EQ(with({"--batch", "64", "--code", "32", "--blend", "people:1"}), "");
  EXPECT_THAT(with({"--batch", "48", "--code", "32"}), HasSubstr("multiple of 32, not 48"));
  EXPECT_THAT(with({"--batch", "64", "--code", "32", "--blend", "people:4"}),
              HasSubstr("one person at a time"));
  EXPECT_THAT(with({"--batch", "64", "--code", "0"}), HasSubstr("--code"));
  EXPECT_EQ(with({"--batch", "64", "--linkage-weight", "auto:0.1"}), "");
  EXPECT_EQ(with({"--batch", "64", "--linkage-weight", "2", "--linkage", "patch,pixel"}), "");
  EXPECT_THAT(with({"--batch", "64", "--linkage-weight", "auto:0"}), HasSubstr("--linkage-weight"));
  EXPECT_THAT(with({"--batch", "64", "--linkage-weight", "-1"}), HasSubstr("--linkage-weight"));
  EXPECT_THAT(with({"--batch", "64", "--linkage", "pixel"}), HasSubstr("needs --linkage-weight"));
  EXPECT_THAT(with({"--batch", "64", "--linkage-weight", "1", "--linkage", "pixle"}),
              HasSubstr("did you mean pixel"));
  EXPECT_THAT(with({"--batch", "64", "--linkage-weight", "1", "--linkage", "pixel,learned"}),
              HasSubstr("\"learned\" is unknown"));
}

TEST(PretrainConfig, RefusesWhatCannotBeExact) {
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--store", "s", "--run", "r", "--steps", "9", "--exact"});
    return faults_of(words);
  };
  EXPECT_EQ(with({"--batch", "16", "--accumulate", "2"}), "");
  EXPECT_EQ(with({"--batch", "16", "--device", "cpu", "--threads", "1"}), "");
  EXPECT_THAT(with({"--batch", "15", "--accumulate", "2"}), HasSubstr("7 images leaves some of the 8 slots"));
  EXPECT_EQ(with({"--batch", "15", "--accumulate", "2", "--exact-slots", "4"}), "");
  EXPECT_THAT(with({"--batch", "16", "--exact-slots", "6"}), HasSubstr("power of two"));
  EXPECT_THAT(with({"--batch", "16", "--exact-slots", "0"}), HasSubstr("power of two"));
  EXPECT_THAT(with({"--batch", "16", "--device", "cuda"}), HasSubstr("computes on the CPU"));
  EXPECT_THAT(with({"--batch", "16", "--precision", "bfloat16"}), HasSubstr("computes in float32"));
  EXPECT_THAT(with({"--batch", "16", "--threads", "2"}), HasSubstr("one thread per rank"));
}

}  // namespace
}  // namespace facemae
