#include "trainer/config/run_config.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/text.h"
#include "tests/unit/trainer/config/parsed.h"

namespace facemae {
namespace {

using testing::HasSubstr;

TEST(RecognizeConfig, NeedsTwoImagesInASlotForExactBatchStatistics) {
  const auto faults = [](const std::string& batch, const std::string& norm) {
    RecognizeConfig config;
    return test::faults_in(
        {"--store", "s", "--run", "r", "--steps", "9", "--batch", batch, "--exact", "--batch-norm", norm},
        config);
  };
  EXPECT_EQ(faults("16", "local"), "");
  EXPECT_EQ(faults("15", "frozen"), "");
  EXPECT_THAT(faults("15", "local"), HasSubstr("two images in each of the 8 slots"));
}

TEST(PretrainConfig, PutsTheSettledOrderInItsText) {
  PretrainConfig config;
  CommonOptions common;
  Options options("", "pretrain");
  declare(options, config);
  const std::vector<std::string> words = {"--store", "s", "--run", "r", "--batch", "48", "--steps", "7"};
  options.parse(words, common);
  const auto settled = config.common.order.settled(20'000'000, 48);
  const std::string asked = options.text();
  config.common.order = settled;
  const std::string text = options.text();
  EXPECT_THAT(text, HasSubstr("order = blocks\n"));
  EXPECT_THAT(text, HasSubstr("order-lanes = 1008\n"));
  EXPECT_THAT(result_changes(asked, text),
              testing::ElementsAre("order: was auto, is blocks", "order-lanes: was 0, is 1008"));
}

TEST(PretrainConfig, ItsTextParsesBackToItself) {
  PretrainConfig config;
  CommonOptions common;
  Options options("", "pretrain");
  declare(options, config);
  const std::vector<std::string> words = {"--store", "s",       "--run", "r",    "--batch",
                                          "64",      "--steps", "7",     "--lr", "0.001"};
  options.parse(words, common);
  ASSERT_TRUE(options.finish());
  PretrainConfig again;
  Options second("", "pretrain");
  declare(second, again);
  std::vector<std::string> lines;
  const std::string text = options.text();
  std::size_t from = 0;
  for (std::size_t end; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
    const std::string line = text.substr(from, end - from);
    const auto equals = line.find(" = ");
    const std::string name = line.substr(0, equals), value = line.substr(equals + 3);
    if (value == "yes" && name != "flip") lines.push_back("--" + name);
    if (value != "yes" && value != "no") lines.insert(lines.end(), {"--" + name, value});
  }
  second.parse(lines, common);
  ASSERT_TRUE(second.finish());
  EXPECT_EQ(second.text(), text);
}

TEST(ResultChanges, ShowWhatMattersAndOverlookWhatIsFree) {
  const auto changes =
      result_changes("batch = 8\nworkers = 1\nlr = 0.1\n", "batch = 16\nworkers = 4\nwarmup = 0\nlr = 0.1\n");
  EXPECT_THAT(changes, testing::ElementsAre("batch: was 8, is 16", "warmup: was unset, is 0"));
}

/// Runs of versions that had no --relation-form and so on keep the bits that they began with.
TEST(PretrainConfig, ARunOfBeforeGoesOnAsItBegan) {
  const auto go_on = [](std::vector<std::string> words, const std::string& had, PretrainConfig& config) {
    CommonOptions common;
    Options options("", "pretrain");
    declare(options, config);
    for (const char* word : {"--store", "s", "--run", "r", "--batch", "8", "--steps", "1"})
      words.emplace_back(word);
    options.parse(words, common);
    if (!had.empty()) options.go_on(had);
    return options.text();
  };
  PretrainConfig fresh, resumed, older, asked;
  const std::string text = go_on({}, "", fresh);
  EXPECT_EQ(fresh.relation_form, "auto");
  std::string before;  // as a version without the three options wrote it
  for (const auto& line : split(text, '\n'))
    if (!line.empty() && !line.starts_with("relation-form") && !line.starts_with("relation-precision") &&
        !line.starts_with("embedder-grid"))
      before += line + "\n";
  EXPECT_EQ(go_on({}, text, resumed), text);
  EXPECT_EQ(resumed.embedder_grid, fresh.embedder_grid);
  const std::string now = go_on({}, before, older);
  EXPECT_EQ(now, before) << "its configuration stays what it is";
  EXPECT_EQ(older.relation_form, "pairs");
  EXPECT_EQ(older.relation_precision, "float32");
  EXPECT_EQ(older.embedder_grid, 0);
  EXPECT_THAT(result_changes(before, now), testing::IsEmpty());
  const std::string same = go_on({"--relation-form", "pairs", "--embedder-grid", "0"}, before, asked);
  EXPECT_THAT(result_changes(before, same), testing::IsEmpty()) << "asked for what it has";
  EXPECT_THAT(result_changes(before, text), testing::Contains("relation-form: was pairs, is auto"));
}

TEST(RunConfig, CountsStepsInEpochsRoundedUp) {
  RunConfig config;
  config.batch = 64;
  config.epochs = 1.5;
  EXPECT_EQ(config.total_steps(100), 3u);
  config.base_lr = 0.1;
  EXPECT_DOUBLE_EQ(config.peak_lr(), 0.025);
}

TEST(RecognizeConfig, AugmentsWhenAskedAndOnRgbOnly) {
  const auto parsed = [](std::vector<std::string> words, std::string& faults) {
    RecognizeConfig config;
    CommonOptions common;
    Options options("", "recognize");
    declare(options, config);
    for (const char* word : {"--store", "s", "--run", "r", "--batch", "8", "--steps", "1"})
      words.emplace_back(word);
    options.parse(words, common);
    validate(options, config);
    try {
      options.finish();
    } catch (const ConfigError& error) {
      faults = error.what();
    }
    return run_config_of(config);
  };
  std::string faults;
  EXPECT_FALSE(parsed({}, faults).augment.any());
  const RunConfig run = parsed({"--augment", "adaface", "--crop-probability", "0.4"}, faults);
  EXPECT_EQ(run.augment.crop, 0.4);
  EXPECT_EQ(run.augment.photometric, 0.2);
  EXPECT_EQ(run.augment.shift, 0);
  EXPECT_EQ(faults, "");
  const RunConfig rebuilt = parsed({"--augment", "rebuilt", "--jpeg-probability", "0"}, faults);
  EXPECT_EQ(rebuilt.augment.crop, 0.2);
  EXPECT_EQ(rebuilt.augment.shift, 0.5);
  EXPECT_EQ(rebuilt.augment.jpeg, 0);
  EXPECT_EQ(faults, "");
  parsed({"--augment", "adaface", "--decode", "yuv420"}, faults);
  EXPECT_THAT(faults, HasSubstr("--decode rgb"));
  parsed({"--augment", "adaface", "--low-resolution-probability", "1.5"}, faults);
  EXPECT_THAT(faults, HasSubstr("--low-resolution-probability must be from 0 to 1, not 1.5"));
}

TEST(Changes, OfWhatMakesThePixelsAreRefusedAndOfWhatReadsThemNot) {
  RecognizeConfig config;
  Options options("", "recognize");
  declare(options, config);
  for (const char* key : {"decode", "augment", "crop-probability", "photometric-probability"})
    EXPECT_FALSE(options.may_change(key)) << key;
  for (const char* key : {"workers", "max-bad-fraction", "block-cache-mib"})
    EXPECT_TRUE(options.may_change(key)) << key;
}

TEST(RunConfig, KnowsHowClassCentresAreMoved) {
  RecognizeConfig config;
  config.common.lr = 0.2;
  config.class_update = "sparse";
  const auto plain = run_config_of(config).class_update;
  EXPECT_FALSE(plain.dense);
  EXPECT_EQ(plain.rate, 1);
  EXPECT_FALSE(plain.weight_decay.has_value());
  config.class_update = "dense";
  config.class_lr = 0.05;
  config.class_weight_decay = 1e-3;
  const auto own = run_config_of(config).class_update;
  EXPECT_TRUE(own.dense);
  EXPECT_DOUBLE_EQ(own.rate, 0.25);
  EXPECT_EQ(own.weight_decay, 1e-3);
}

}  // namespace
}  // namespace facemae
