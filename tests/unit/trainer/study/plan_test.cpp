#include "trainer/study/plan.h"

#include <gmock/gmock.h>

#include <set>

#include "core/text.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

StudyConfig small_study() {
  return {.train = "/f/train",
          .unseen = "/f/unseen",
          .held_out = "/f/held-out",
          .pairs = "/f/pairs.txt",
          .arms = {"real", "facemae", "blend-2"},
          .seeds = 1,
          .seed = 7,
          .pretrain = {"epochs=3", "batch=8"},
          .recognize = {"steps=5"},
          .attacks = "A0,A4"};
}

std::vector<std::string> ids(const StudyPlan& plan) {
  std::vector<std::string> all;
  for (const auto& unit : plan.units) all.push_back(unit.id);
  return all;
}

std::string command(const StudyPlan& plan, const std::string& id) {
  for (const auto& unit : plan.units)
    if (unit.id == id) return join(unit.words, " ");
  return "";
}

TEST(StudyPlan, IsTheseCommandsForASmallStudy) {
  const StudyPlan plan = plan_study(small_study(), {.people = 6, .images = 8});
  EXPECT_THAT(ids(plan), ElementsAre("recognize.real.7", "evaluate.real.7", "pretrain.facemae.7",
                                     "reconstruct.facemae.7", "recognize.facemae.7", "evaluate.facemae.7",
                                     "audit.facemae.7", "reconstruct.blend-2.7", "recognize.blend-2.7",
                                     "evaluate.blend-2.7", "audit.blend-2.7"));
  EXPECT_EQ(
      command(plan, "pretrain.facemae.7"),
      "pretrain --store /f/train --run models/facemae.7 --seed 7 --epochs 3 --batch 8 --model tiny --patch 16 "
      "--lr 1e-3 --embedder-width 32 --save-every 250 --relation-weight auto:0.3");
  EXPECT_EQ(
      command(plan, "reconstruct.blend-2.7"),
      "reconstruct --store stores/unseen --out arms/blend-2.7/released --private arms/blend-2.7/private --json "
      "arms/blend-2.7/released.json --images-per-identity 16 --from models/facemae.7 --blend people:2 "
      "--blend-images 16");
  EXPECT_EQ(
      command(plan, "recognize.real.7"),
      "recognize --store stores/unseen --run arms/real.7/recognition --seed 7 --steps 5 --batch 64 --network "
      "iresnet-tiny --margin cosface --margin-m 0.2 --lr 0.05 --save-every 220");
  EXPECT_EQ(
      command(plan, "evaluate.blend-2.7"),
      "evaluate --from arms/blend-2.7/recognition --json arms/blend-2.7/utility.json --store /f/held-out --pairs "
      "/f/pairs.txt");
  EXPECT_EQ(
      command(plan, "audit.blend-2.7"),
      "audit --real stores/unseen --released arms/blend-2.7/released --link arms/blend-2.7/private --report "
      "arms/blend-2.7/audit --seed 7 --attacks A0,A4 --recogniser arms/blend-2.7/recognition --embedder "
      "arms/real.7/recognition --teacher arms/real.7/recognition --distractors /f/held-out");
  EXPECT_THAT(plan.units.back().needs,
              ElementsAre("reconstruct.blend-2.7", "recognize.blend-2.7", "recognize.real.7"));
}

TEST(StudyPlan, HasBlendsOfManyPeopleWhereTheyAreNamed) {
  StudyConfig config = small_study();
  config.arms = {"facemae", "blend-4", "blend-20"};
  EXPECT_THAT(why<ConfigError>([&] { check_study(config); }), HasSubstr("use a multiple of 20"));
  config.blend_images = 40;
  const StudyPlan plan = plan_study(config, {.people = 400, .images = 10});
  EXPECT_THAT(command(plan, "reconstruct.blend-20.7"), HasSubstr("--images-per-identity 200"));
  EXPECT_THAT(command(plan, "reconstruct.blend-20.7"), HasSubstr("--blend people:20 --blend-images 40"));
  EXPECT_EQ(common_multiple(config.arms), 20U);
}

TEST(StudyPlan, TrainsRecognitionAlikeInEveryArm) {
  StudyConfig config = small_study();
  config.arms.clear();
  for (const auto& arm : study_arms())
    if (!arm.by_name) config.arms.emplace_back(arm.name);
  config.outside = {"drawn=/f/drawn"};
  config.seeds = 2;
  const StudyPlan plan = plan_study(config, {.people = 8, .images = 16});
  std::set<std::string> budgets, names;
  std::size_t trainings = 0;
  for (const auto& unit : plan.units) {
    EXPECT_TRUE(names.insert(unit.id).second) << unit.id;
    if (unit.words.front() != "recognize") continue;
    ++trainings;
    budgets.insert(join({unit.words.begin() + 7, unit.words.end()}, " "));
  }
  EXPECT_EQ(budgets.size(), 1u);
  EXPECT_EQ(trainings, 2 * (config.arms.size() + 1));
}

TEST(StudyPlan, NeedsOnlyUnitsThatItHasAndSharesAFaceMaeBetweenArms) {
  StudyConfig config = small_study();
  config.arms = {"blend-4", "blend-8", "facemae", "real"};
  const StudyPlan plan = plan_study(config, {.people = 8, .images = 16});
  const auto all = ids(plan);
  EXPECT_EQ(std::count(all.begin(), all.end(), "pretrain.facemae.7"), 1);
  for (const auto& unit : plan.units)
    for (const auto& need : unit.needs) EXPECT_THAT(all, testing::Contains(need));
}

TEST(StudyPlan, GivesAttackersWhatTheyAskForAndNoMore) {
  StudyConfig config = small_study();
  config.attacks = "quick";
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.facemae.7"), Not(HasSubstr("--recogniser")));
  config.attacks = "standard";
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.facemae.7"),
              HasSubstr("--recogniser arms/facemae.7"));
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.facemae.7"), Not(HasSubstr("--from")));
  config.attacks = "A1,A12";
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.facemae.7"), HasSubstr("--from models/facemae.7"));
  config.arms.push_back("blur");
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.blur.7"), HasSubstr("--attacks A1 "))
      << "those who know FaceMAE know nothing of an arm that was made without";
  config.attacks = "all";
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.facemae.7"), HasSubstr("--training-store /f/train"));
}

TEST(StudyPlan, SendsTheAttackersOfItsBudgetUnlessSomeAreNamed) {
  StudyConfig config = small_study();
  config.attacks = "";
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.facemae.7"), HasSubstr("--attacks standard "));
  config.budget = "small";
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.facemae.7"),
              testing::AllOf(HasSubstr("A4,A5,A6,A7"), HasSubstr("--attack-budget quick")));
  config.audit = {"attack-budget=full"};
  EXPECT_THAT(command(plan_study(config, {6, 8}), "audit.facemae.7"), HasSubstr("--attack-budget full"));
}

TEST(StudyPlan, RefusesWhatWouldMakeArmsIncomparable) {
  const auto fault = [](auto change) {
    StudyConfig config = small_study();
    change(config);
    return why<ConfigError>([&] { plan_study(config, {.people = 6, .images = 8}); });
  };
  EXPECT_EQ(fault([](StudyConfig&) {}), "");
  EXPECT_THAT(fault([](auto& c) { c.arms = {"blend-3"}; }), HasSubstr("did you mean"));
  EXPECT_THAT(fault([](auto& c) { c.arms = {"real", "real"}; }), HasSubstr("named twice"));
  EXPECT_THAT(fault([](auto& c) { c.recognize = {"seed=3"}; }), HasSubstr("the study itself sets --seed"));
  EXPECT_THAT(fault([](auto& c) { c.pretrain = {"--steps"}; }), HasSubstr("as in steps=500"));
  EXPECT_THAT(fault([](auto& c) { c.outside = {"real=/f/x"}; }), HasSubstr("already"));
  EXPECT_THAT(fault([](auto& c) { c.outside = {"../x=/f/x"}; }), HasSubstr("NAME=STORE"));
  EXPECT_THAT(fault([](auto& c) { c.blend_images = 7; }), HasSubstr("multiple of 2"));
  EXPECT_THAT(fault([](auto& c) { c.blend_images = 32; }), HasSubstr("lower --blend-images to 16"));
  EXPECT_THAT(fault([](auto& c) { c.budget = "hours"; }), HasSubstr("--budget"));
}

TEST(EqualShares, TakeWhatGivesMostPictures) {
  const std::vector<std::uint64_t> counts{3, 16, 16, 9, 16, 8, 16, 2};
  EXPECT_EQ(largest_share(counts, 1, 0), (EqualShare{4, 16}));
  EXPECT_EQ(largest_share(counts, 2, 8), (EqualShare{6, 8}));
  EXPECT_EQ(largest_share(counts, 4, 0), (EqualShare{4, 16}));
  EXPECT_EQ(largest_share(counts, 16, 0).people, 0u);
  EXPECT_EQ(largest_share({}, 1, 0).people, 0u);
}

TEST(EqualShares, OfAnotherSetHaveExactlyAsManyPictures) {
  const std::vector<std::uint64_t> few(4, 64), many(200, 3);
  EXPECT_EQ(share_of(few, 96, 16), (EqualShare{4, 24})) << "as many people as possible";
  EXPECT_EQ(share_of(many, 96, 16), (EqualShare{96, 1}));
  EXPECT_EQ(share_of(few, 96, 48), (EqualShare{2, 48})) << "the number of images that was wanted";
  EXPECT_EQ(share_of(few, 96, 32), (EqualShare{3, 32}));
  EXPECT_EQ(share_of(many, 1000, 16), std::nullopt);
}

TEST(Settings, ReplaceTheBudgetsByNameAndStepsByEpochs) {
  const auto base = settings_from({"steps=500", "batch=64"}, "--budget", {});
  const auto given = settings_from({"epochs=2", "exact", "batch=8"}, "--pretrain", {});
  std::vector<std::string> words;
  append_words(words, merged(base, given));
  EXPECT_THAT(words, ElementsAre("--epochs", "2", "--batch", "8", "--exact"));
}

}  // namespace
}  // namespace facemae
