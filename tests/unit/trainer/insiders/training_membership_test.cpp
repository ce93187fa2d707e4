#include "trainer/insiders/training_membership.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "checkpoint/tensors/weights.h"
#include "cluster/host/agree.h"
#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "evaluation/statistics/membership.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"
#include "tests/unit/trainer/insiders/trained_model.h"
#include "trainer/insiders/reference_models.h"
#include "trainer/run/make_task.h"
#include "trainer/run/session.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<double> people_of(FaceMae& model, const RealFaces& real) {
  const auto scores = reconstruction_scores(model, real.photos, 0.5, 8, 3, [](std::size_t) {});
  return scores_of_people(scores, real.people, real.people_count);
}

double area_of(const Findings& findings, std::size_t attacker) {
  std::vector<double> areas;
  for (const auto& figure : findings.figures)
    if (figure.metric == "membership_auc") areas.push_back(figure.found.value);
  return areas.at(attacker);
}

class TrainingMembership : public testing::Test {
 protected:
  void SetUp() override { torch::set_num_threads(1); }
  const RealFaces members_ = test::drawn_people(20, 2, 11), outsiders_ = test::drawn_people(20, 2, 12);
};

TEST_F(TrainingMembership, TellsThePeopleOfAnOverfittedModelApart) {
  FaceMae overfitted = test::trained_model(members_, 250),
          unrelated = test::trained_model(test::drawn_people(20, 2, 13), 60);
  ScoredPeople in{.target = people_of(overfitted, members_)},
      out{.target = people_of(overfitted, outsiders_)};
  EXPECT_GT(area_of(membership_findings(in, out, 0), 0), 0.8);
  for (auto* people : {&in, &out}) people->in = {std::vector<bool>(20, false)};
  in.references = {people_of(unrelated, members_)};
  out.references = {people_of(unrelated, outsiders_)};
  const Findings both = membership_findings(in, out, 0);
  EXPECT_GT(area_of(both, 1), 0.8) << "relative to a model that saw neither";
  EXPECT_EQ(both.figures[2].attacker, "reconstruction error relative to 1 references");
}

TEST_F(TrainingMembership, IsAtChanceForAModelThatSawNeither) {
  FaceMae unrelated = test::trained_model(test::drawn_people(20, 2, 13), 60);
  const Findings findings = membership_findings({.target = people_of(unrelated, members_)},
                                                {.target = people_of(unrelated, outsiders_)}, 0);
  const Figure area = findings.figures[0].found;
  EXPECT_LE(area.low, 0.5);
  EXPECT_GE(area.high, 0.5);
  EXPECT_TRUE(findings.measurements.empty()) << "20 others are too few for a rate";
}

TEST_F(TrainingMembership, ScoresDoNotDependOnBatches) {
  FaceMae model = test::untrained_model();
  const auto few = test::drawn_people(70, 1, 1);  // two batches
  const auto all = reconstruction_scores(model, few.photos, 0.5, 2, 3, [](std::size_t) {});
  const auto some = reconstruction_scores(model, few.photos.narrow(0, 0, 5), 0.5, 2, 3, [](std::size_t) {});
  for (std::size_t i = 0; i < some.size(); ++i) EXPECT_NEAR(all[i], some[i], 1e-4);
}

TEST(ReferenceModels, HalveThePeopleInPairs) {
  const auto halves = halves_of_people(31, 4, 5);
  ASSERT_EQ(halves.size(), 4U);
  for (std::size_t person = 0; person < 31; ++person)
    for (std::size_t pair = 0; pair < 4; pair += 2) EXPECT_NE(halves[pair][person], halves[pair + 1][person]);
  EXPECT_EQ(std::count(halves[0].begin(), halves[0].end(), true), 15);
  EXPECT_NE(halves[0], halves[2]);
  EXPECT_EQ(halves, halves_of_people(31, 4, 5));
}

/// Through runs, as users have them.
class ReferencedMembership : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    const std::vector<std::uint64_t> counts{3, 3, 3, 3, 3, 3, 3, 3};
    const auto all = testing_stores::make_store(folder_ / "all", counts);
    split_store(real_files(), *all, 0.5, 1, folder_ / "members", folder_ / "outsiders");
    PretrainConfig config;
    config.common.store = folder_ / "members";
    config.common.run = folder_ / "mae";
    config.common.epochs = 2;
    config.common.batch = 4;
    config.common.threads = 1;
    config.common.stop_after = 99;  // belongs to that start only
    config.patch = 8;
    config.relation = "none";
    const auto text = [&](const OrderConfig& chosen) {
      config.common.order = chosen;
      Options options("", "");
      declare(options, config);
      CommonOptions none;
      options.parse({}, none);
      return options.text();
    };
    run_training(*world_, run_config_of(config), text,
                 [&](const Store& store, World& opened, const std::string& init) {
                   return make_pretraining(config, store, opened, init);
                 });
    asked_ = {.from = folder_ / "mae",
              .members = folder_ / "members",
              .outsiders = folder_ / "outsiders",
              .folder = folder_ / "attackers",
              .masks = 2,
              .show_progress = false};
  }
  test::TemporaryFolder folder_;
  std::unique_ptr<World> world_ = World::open(test::mpi_alone(), {.device = "cpu"});
  TrainingMembershipConfig asked_;
};

TEST_F(ReferencedMembership, TrainsReferencesOnHalvesOfThePeopleAndTakesFinishedOnes) {
  const Findings first = training_membership(*world_, asked_);
  ASSERT_EQ(first.figures.size(), 4U) << "area and D_sys, plain and relative";
  EXPECT_EQ(first.figures[0].attacker, "reconstruction error");
  EXPECT_EQ(first.figures[2].attacker, "reconstruction error relative to 2 references");
  for (const char* name : {"A11-ref0", "A11-ref1"}) {
    const Weights weights = read_weights(asked_.folder / name);
    EXPECT_EQ(config_value(weights.config, "patch"), "8");
    EXPECT_EQ(config_value(weights.config, "steps"), "6")
        << "as many as the model under attack, over 12 images";
    EXPECT_EQ(config_value(weights.config, "stop-after"), "");
    EXPECT_EQ(Store::open(asked_.folder / (std::string(name) + "-people"))->identities(), 2);
  }
  const auto changed = std::filesystem::last_write_time(asked_.folder / "A11-ref0" / "checkpoints");
  const Findings again = training_membership(*world_, asked_);
  EXPECT_EQ(std::filesystem::last_write_time(asked_.folder / "A11-ref0" / "checkpoints"), changed);
  for (std::size_t i = 0; i < first.figures.size(); ++i)
    EXPECT_EQ(first.figures[i].found.value, again.figures[i].found.value);
}

TEST_F(ReferencedMembership, RefusesPeopleOnTheWrongSide) {
  std::swap(asked_.members, asked_.outsiders);
  EXPECT_THAT([&] { training_membership(*world_, asked_); },
              ThrowsMessage<ConfigError>(HasSubstr("it was trained on 0 of the 4 people")));
  asked_.members = asked_.outsiders;
  EXPECT_THAT([&] { training_membership(*world_, asked_); },
              ThrowsMessage<ConfigError>(HasSubstr("cannot stand for people who were not")));
  asked_.references = 3;
  EXPECT_THROW(training_membership(*world_, asked_), ConfigError);
}

TEST_F(ReferencedMembership, NeedsARunForReferencesAndNoneWithout) {
  test::write_model(folder_ / "mae.safetensors", test::small_model());
  asked_.from = folder_ / "mae.safetensors";
  EXPECT_THAT([&] { training_membership(*world_, asked_); },
              ThrowsMessage<AgreedError>(HasSubstr("does not say how it was trained")));
  asked_.references = 0;
  EXPECT_EQ(training_membership(*world_, asked_).figures.size(), 2U);
}

}  // namespace
}  // namespace facemae
