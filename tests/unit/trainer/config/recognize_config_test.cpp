#include <gmock/gmock.h>

#include "tests/unit/trainer/config/parsed.h"

namespace facemae {
namespace {

using testing::HasSubstr;

std::string faults_with(const std::vector<std::string>& words) {
  RecognizeConfig config;
  return test::faults_of(words, config);
}

TEST(RecognizeConfig, TakesMarginsWithWhatTheyHave) {
  EXPECT_THAT(faults_with({"--margin-h", "0.5"}),
              HasSubstr("--margin-h is for `--margin adaface`, not for arcface: leave it out"));
  EXPECT_THAT(faults_with({"--margin", "cosface", "--margin-m1", "0.9"}),
              HasSubstr("--margin-m1 is for `--margin combined`, not for cosface"));
  EXPECT_THAT(faults_with({"--margin-m3", "0.2"}), HasSubstr("--margin-m3 is for `--margin combined`"));
  EXPECT_THAT(faults_with({"--margin-m1", "0"}), HasSubstr("--margin-m1 must be above 0"));
  EXPECT_THAT(faults_with({"--margin-h", "-1"}), HasSubstr("--margin-h must be from 0"));
}

TEST(RecognizeConfig, KnowsNetworksByTheNamesOfOtherPrograms) {
  const auto parsed = [](const std::vector<std::string>& words) {
    RecognizeConfig config;
    EXPECT_EQ(test::faults_of(words, config), "");
    return config;
  };
  EXPECT_EQ(parsed({"--network", "r50"}).network, "iresnet50");
  EXPECT_EQ(parsed({"--network", "r50"}).drop_path, std::nullopt);
  const auto vit = parsed({"--network", "vit_b_dp005_mask_005"});
  EXPECT_EQ(vit.network, "vit-b");
  EXPECT_EQ(vit.drop_path, 0.05);
  EXPECT_EQ(vit.mask_tokens, 0.1);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--drop-path", "0.2", "--network", "vit_s_dp005_mask_0"},
        std::vector<std::string>{"--network", "vit_s_dp005_mask_0", "--drop-path", "0.2"}}) {
    EXPECT_EQ(parsed(words).drop_path, 0.2) << "what is given counts";
    EXPECT_EQ(parsed(words).mask_tokens, 0);
  }
  EXPECT_THAT(faults_with({"--network", "iresnet5"}), HasSubstr("did you mean iresnet50?"));
  EXPECT_THAT(faults_with({"--network", "vit_m"}), HasSubstr("\"vit_m\" is unknown"));
}

TEST(RecognizeConfig, TakesOfNetworksWhatTheyHave) {
  EXPECT_EQ(faults_with({"--network", "vit-t", "--drop-path", "0.3", "--mask-tokens", "0"}), "");
  EXPECT_EQ(faults_with({"--network", "ir50", "--dropout", "0"}), "");
  EXPECT_EQ(faults_with({"--embedding", "128", "--activation-checkpointing"}), "");
  EXPECT_THAT(faults_with({"--network", "ir50", "--drop-path", "0.1"}),
              HasSubstr("are for ViTs, not for ir50"));
  EXPECT_THAT(faults_with({"--mask-tokens", "0.1"}), HasSubstr("are for ViTs, not for iresnet-tiny"));
  EXPECT_THAT(faults_with({"--network", "vit-t", "--dropout", "0.1"}), HasSubstr("leave it out"));
  EXPECT_THAT(faults_with({"--network", "vit-t", "--mask-tokens", "1"}), HasSubstr("from 0 to 0.9"));
  EXPECT_THAT(faults_with({"--embedding", "0"}), HasSubstr("--embedding must be from 16"));
  EXPECT_THAT(faults_with({"--embedding", "100"}), HasSubstr("a multiple of 16"));
}

TEST(RecognizeConfig, SaysWhoseRowsNormsSee) {
  for (const char* norm : {"local", "sync", "ghost:2", "ghost:32", "frozen"})
    EXPECT_EQ(faults_with({"--batch-norm", norm}), "") << norm;
  for (const char* norm : {"ghost", "ghost:", "ghost:1", "ghost:x", "ghost:8x", "ghost:-8"})
    EXPECT_THAT(faults_with({"--batch-norm", norm}), HasSubstr("2 or more, as in ghost:8")) << norm;
  EXPECT_THAT(faults_with({"--batch-norm", "synch"}), HasSubstr("did you mean sync?"));
  EXPECT_THAT(faults_with({"--exact", "--batch-norm", "sync"}), HasSubstr("local, ghost:N or frozen"));
  EXPECT_EQ(faults_with({"--exact", "--batch-norm", "ghost:8"}), "");
}

TEST(RecognizeConfig, BoundsWhatIsSaidOfClasses) {
  for (const char* rate : {"0", "0.1", "1"}) EXPECT_EQ(faults_with({"--sample-rate", rate}), "") << rate;
  for (const char* rate : {"-0.1", "1.1"})
    EXPECT_THAT(faults_with({"--sample-rate", rate}), HasSubstr("--sample-rate must be from 0 to 1")) << rate;
  EXPECT_EQ(faults_with({"--class-filter", "0.4"}), "");
  EXPECT_THAT(faults_with({"--class-filter", "0"}), HasSubstr("not 0: leave it out to filter none"));
  EXPECT_THAT(faults_with({"--class-filter", "1"}), HasSubstr("below 1"));
  EXPECT_THAT(faults_with({"--class-update", "some"}), HasSubstr("\"some\" is unknown"));
  EXPECT_EQ(faults_with({"--logit-mib", "16"}), "");
  EXPECT_EQ(faults_with({"--logit-mib", "1048576"}), "");
  EXPECT_THAT(faults_with({"--logit-mib", "15"}), HasSubstr("--logit-mib must be from 16 to 1048576"));
  EXPECT_THAT(faults_with({"--logit-mib", "1048577"}), HasSubstr("--logit-mib must be from 16 to 1048576"));
}

TEST(RecognizeConfig, RefusesLogitsThatTheRunOrItsDeviceCannotHave) {
  for (const char* reduced : {"tf32", "bfloat16"})
    EXPECT_THAT(faults_with({"--exact", "--logit-precision", reduced}),
                HasSubstr("leave out --logit-precision"));
  for (const char* fine : {"auto", "float32"})
    EXPECT_EQ(faults_with({"--exact", "--logit-precision", fine}), "");
  EXPECT_THAT(faults_with({"--device", "cpu", "--logit-precision", "tf32"}), HasSubstr("use float32"));
  EXPECT_EQ(faults_with({"--device", "cuda", "--logit-precision", "tf32"}), "");
}

TEST(RecognizeConfig, PlansForWhatIsNotThereInDryRunsOnly) {
  const auto faults = [](std::vector<std::string> words) {
    RecognizeConfig config;
    words.insert(words.end(), {"--run", "r", "--batch", "64", "--steps", "10"});
    return test::faults_in(words, config);
  };
  const std::vector<std::string> plan = {"--assume-identities", "100", "--assume-images", "1000"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), plan.begin(), plan.end());
    return faults(words);
  };
  EXPECT_EQ(with({"--dry-run", "--assume-ranks", "64"}), "");
  PretrainConfig faces;
  EXPECT_EQ(test::faults_in({"--run", "r", "--batch", "64", "--steps", "10", "--dry-run",
                             "--assume-identities", "100", "--assume-images", "1000", "--assume-ranks", "64"},
                            faces),
            "");
  EXPECT_THAT(with({}), HasSubstr("are for --dry-run: add it"));
  EXPECT_THAT(with({"--dry-run", "--store", "s"}), HasSubstr("take the place of --store: leave it out"));
  EXPECT_THAT(with({"--dry-run", "--exact"}), HasSubstr("leave out --exact"));
  EXPECT_THAT(faults({"--dry-run", "--assume-identities", "9"}), HasSubstr("give both"));
  EXPECT_THAT(faults({"--dry-run", "--assume-identities", "9", "--assume-images", "8"}),
              HasSubstr("each has an image at least"));
  EXPECT_THAT(faults({"--dry-run"}), HasSubstr("--store is missing"));
}

TEST(RecognizeConfig, HasARateOfClassesOnTheCurveOfAllElse) {
  EXPECT_EQ(faults_with({"--class-lr", "1", "--class-weight-decay", "0"}), "");
  EXPECT_THAT(faults_with({"--class-lr", "1", "--lr", "0"}), HasSubstr("raise --lr"));
}

}  // namespace
}  // namespace facemae
