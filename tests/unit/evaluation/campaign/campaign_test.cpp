#include "evaluation/campaign/campaign.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>
#include <set>

#include "core/error.h"
#include "evaluation/attacks/fixed_attackers.h"
#include "evaluation/linkage/features.h"
#include "tests/unit/evaluation/campaign/planted_release.h"

namespace facemae {
namespace {

using test::row_of;
using testing::HasSubstr;
using testing::ThrowsMessage;

using Attackers = std::vector<std::unique_ptr<Attacker>>;

Attackers of(Attacker* attacker) {
  Attackers all;
  all.emplace_back(attacker);
  return all;
}

torch::Tensor as_they_are(const torch::Tensor& photos) { return photos.clone(); }
torch::Tensor nothing_but_noise(const torch::Tensor& photos) {
  torch::manual_seed(3);
  return torch::randint(0, 256, photos.sizes(), torch::kUInt8);
}
FixedAttacker* pixels() { return new FixedAttacker(pixel_attackers(28, 28)[1]); }
FixedAttacker* embedder(const FixedAttacker::Features& features) {
  return new FixedAttacker({.id = "A6", .name = "embedder"}, features, true);
}

/// Every picture is of the colour of its person's number: the spy reads who it is shown.
class Spy : public Attacker {
 public:
  AttackerFacts facts() const override { return {.id = "A5", .name = "spy"}; }
  bool learns() const override { return true; }
  void fit(const Lesson& lesson) override {
    learnt_ = people(lesson.real.photos);
    EXPECT_EQ(people(lesson.released.pictures), learnt_);
    EXPECT_EQ(static_cast<std::int64_t>(learnt_.size()), lesson.real.people_count);
    lessons.push_back(lesson.released.pictures.size(0));
  }
  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    for (const std::int64_t person : people(real.photos)) {
      EXPECT_FALSE(learnt_.contains(person)) << "learnt from the tested person " << person;
      shown.insert(person);
    }
    return {.released = torch::ones({released.pictures.size(0), 2}),
            .real = torch::ones({real.photos.size(0), 2})};
  }
  static std::set<std::int64_t> people(const torch::Tensor& pictures) {
    std::set<std::int64_t> all;
    for (std::int64_t i = 0; i < pictures.size(0); ++i) all.insert(pictures[i][0][0][0].item<std::int64_t>());
    return all;
  }
  std::set<std::int64_t> learnt_, shown;
  std::vector<std::int64_t> lessons;
};

RealFaces numbered_faces(std::int64_t people, std::int64_t photos) {
  RealFaces faces{.photos = torch::zeros({people * photos, 3, 4, 4}, torch::kUInt8), .people_count = people};
  for (std::int64_t i = 0; i < people * photos; ++i) {
    faces.people.push_back(i / photos);
    faces.photos[i].fill_(i / photos);
  }
  return faces;
}

TEST(Campaign, NeverTeachesFromAPersonWhoIsTested) {
  const Target target = test::one_to_one(numbered_faces(12, 3), as_they_are, 2);
  auto* spy = new Spy;
  const Attackers attackers = of(spy);
  const Findings found = attack_release(attackers, target, std::nullopt, {.pairs = {4, 100}});
  EXPECT_EQ(spy->shown.size(), 12U) << "everybody is tested, strangers stand in every gallery";
  EXPECT_THAT(spy->lessons, testing::ElementsAre(4, 15, 4, 15)) << "no curve beyond what there is";
  const auto row = row_of(found.measurements, "spy", Level::PersonToClass);
  EXPECT_EQ(people_of(row), 10);
  EXPECT_NEAR(row.chance, 1.0 / 5, 1e-12);
  EXPECT_NEAR(row.found.value, 1.0 / 5, 1e-6) << "who sees all alike guesses";
  EXPECT_NEAR(row_of(found.measurements, "spy", Level::ClassToPerson).chance, 1.0 / 7, 1e-12);
}

TEST(Campaign, TestsEverybodyWhereTheAttackerHasPeopleOfHisOwn) {
  const Target target = test::one_to_one(numbered_faces(3, 2), as_they_are);
  RealFaces own = numbered_faces(6, 3);
  own.photos += 100;
  auto* spy = new Spy;
  const Attackers attackers = of(spy);
  const Findings found =
      attack_release(attackers, target, test::one_to_one(own, as_they_are).lesson(), {.pairs = {}});
  EXPECT_THAT(spy->lessons, testing::ElementsAre(18));
  EXPECT_NEAR(row_of(found.measurements, "spy", Level::PersonToClass).chance, 1.0 / 3, 1e-12);
  // Three classes cannot be halved: who would learn from them is left out, not the whole campaign.
  EXPECT_TRUE(attack_release(of(new Spy), target, std::nullopt, {}).measurements.empty());
}

TEST(Campaign, FindsAllInAReleaseOfTheOriginalsAndChanceInNoise) {
  const auto faces = test::random_faces(30, 3);
  const Findings open = attack_release(of(pixels()), test::one_to_one(faces, as_they_are), std::nullopt, {});
  for (const Level level :
       {Level::OwnPicture, Level::PictureToPerson, Level::PersonToClass, Level::ClassToPerson})
    EXPECT_EQ(row_of(open.measurements, "pixel", level).found.value, 1) << name_of(level);
  for (const ControlResult& control : open.controls) EXPECT_TRUE(control.works) << control.control;
  ASSERT_EQ(open.controls.size(), 2U) << "planted copies and shuffled links";

  const Findings closed =
      attack_release(of(pixels()), test::one_to_one(faces, nothing_but_noise), std::nullopt, {});
  for (const Measurement& row : closed.measurements)
    if (row.control.empty()) {
      EXPECT_LE(row.found.low, row.chance) << row.attacker << name_of(row.level);
    }
  for (const ControlResult& control : closed.controls)
    EXPECT_TRUE(control.works) << control.control << ": the attacker works, the release gives nothing away";
}

TEST(Campaign, CountsABrokenAttackerAsInconclusive) {
  const Target target = test::one_to_one(test::random_faces(30, 4), as_they_are);
  const auto broken = [](double value) {
    return [value](const torch::Tensor& images) { return torch::full({images.size(0), 4}, value); };
  };
  for (const double value : {0.5, std::nan("")}) {
    const Findings found = attack_release(of(embedder(broken(value))), target, std::nullopt, {});
    const auto row = row_of(found.measurements, "embedder", Level::PersonToClass);
    EXPECT_NEAR(row.found.value, row.chance, 1e-6);
    int positive = 0;
    for (const ControlResult& control : found.controls) {
      if (!control.positive) continue;
      ++positive;
      EXPECT_FALSE(control.works) << control.control << " with " << value;
    }
    EXPECT_EQ(positive, 2) << "planted copies and other photos";
  }
}

TEST(Campaign, AsksEmbeddersForOtherPhotosOfThePerson) {
  const Target alike = test::one_to_one(test::random_faces(20, 4, 0.9), nothing_but_noise);
  const Target unlike = test::one_to_one(test::random_faces(20, 4, 0.0), nothing_but_noise);
  const auto features = [](const torch::Tensor& images) { return pixel_features(images, 7); };
  const auto control = [&](const Target& target) {
    for (const ControlResult& one : attack_release(of(embedder(features)), target, std::nullopt, {}).controls)
      if (one.control == kOtherPhoto) return one;
    return ControlResult{};
  };
  EXPECT_TRUE(control(alike).works);
  EXPECT_FALSE(control(unlike).works) << "photos that share nothing";
}

TEST(Campaign, AsksThoseWhomAReleaseTaughtForMoreThanChance) {
  const Measurement row{.attack = "A4", .control = kOtherPhoto, .chance = 0.01, .found = {0.04, 0.02, 0.07}};
  const auto limit = [&](double least, double chance) {
    Measurement found = row;
    found.chance = chance;
    return verdicts({.id = "A4"}, {found}, least).at(0);
  };
  EXPECT_NEAR(limit(kOtherPhotosOfTheTaught, 0.01).limit, 0.03, 1e-12);
  EXPECT_TRUE(limit(kOtherPhotosOfTheTaught, 0.01).works);
  EXPECT_FALSE(limit(kOtherPhotosOfTheTaught, 0.02).works);
  EXPECT_FALSE(limit(kOtherPhotosOfEmbedders, 0.01).works);
}

TEST(Campaign, TriesTheAttackersOfSecondsOnAPlainRelease) {
  const Target target = test::one_to_one(test::random_faces(20, 4), nothing_but_noise);
  const auto control = [&](const Target& plain) {
    for (const ControlResult& one :
         attack_release(of(pixels()), target, std::nullopt, {.plain = plain}).controls)
      if (one.control == kPlain) return one;
    return ControlResult{};
  };
  EXPECT_TRUE(control(test::one_to_one(test::random_faces(20, 4), as_they_are)).works);
  EXPECT_FALSE(control(target).works) << "noise is no plain release";
  for (const ControlResult& one :
       attack_release(of(embedder([](const torch::Tensor& images) { return pixel_features(images, 7); })),
                      target, std::nullopt, {.plain = target})
           .controls)
    EXPECT_NE(one.control, kPlain) << "A6 is trained for minutes";
}

/// Says which lesson it learnt last.
class Pupil final : public Attacker {
 public:
  AttackerFacts facts() const override { return {.id = "A1", .name = "pupil"}; }
  bool learns() const override { return true; }
  void fit(const Lesson& lesson) override { last = lesson.real.people_count; }
  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    return {.released = torch::ones({released.pictures.size(0), 2}),
            .real = torch::ones({real.photos.size(0), 2})};
  }
  std::int64_t last = 0;
};

TEST(Campaign, EndsWithWhatWasLearntForTheRelease) {
  const Target target = test::one_to_one(numbered_faces(6, 3), as_they_are);
  RealFaces own = numbered_faces(9, 3);
  auto* pupil = new Pupil;
  const Attackers attackers = of(pupil);
  attack_release(attackers, target, test::one_to_one(own, as_they_are).lesson(),
                 {.pairs = {}, .plain = target});
  EXPECT_EQ(pupil->last, 9) << "A8 looks by it afterwards, and must not know half of the people";
}

TEST(Campaign, PutsStrangersIntoTheGalleryAndTellsMembers) {
  const Target target = test::one_to_one(test::random_faces(330, 1), as_they_are, 300);
  const Findings found = attack_release(of(pixels()), target, std::nullopt, {});
  EXPECT_NEAR(row_of(found.measurements, "pixel", Level::OwnPicture).chance, 1.0 / 330, 1e-12);
  ASSERT_FALSE(found.figures.empty());
  std::set<std::string> told;
  for (const AttackFigure& figure : found.figures) {
    const bool of_members = figure.attack == "A10";
    told.insert(figure.attack + " " + figure.metric);
    EXPECT_EQ(figure.people, 30);
    EXPECT_EQ(figure.nonmembers, of_members ? 300 : 0);
    EXPECT_EQ(figure.person_pairs, of_members ? 0 : 30 * 29);
    EXPECT_GT(figure.found.value, 0.9) << figure.metric;
  }
  EXPECT_THAT(told, testing::ElementsAre("A0 dsys", "A10 dsys", "A10 membership_auc", "A10 membership_tpr"))
      << "30 people are too few for tar_at_far";
  const auto at = row_of(found.measurements, "A0 pixel", Level::Membership);
  EXPECT_EQ(at.chance, 0.05) << "15 strangers; 3 would be too few for 1 %";
  EXPECT_EQ(at.found.value, 1);
  const auto strangers =
      std::find_if(found.controls.begin(), found.controls.end(),
                   [](const ControlResult& control) { return control.control == kNonmembers; });
  ASSERT_NE(strangers, found.controls.end());
  EXPECT_TRUE(strangers->works);
}

TEST(Campaign, AsksForThePeopleOfABlend) {
  // Two people a class; a picture is the mean of one photo of each.
  const auto faces = test::random_faces(24, 4, 0.8);
  Target target;
  target.real = faces;
  target.members = 24;
  target.released.class_count = 12;
  std::vector<torch::Tensor> pictures;
  for (std::int64_t c = 0; c < 12; ++c) {
    target.links.people_of_class.push_back({2 * c, 2 * c + 1});
    for (std::int64_t s = 0; s < 4; ++s) {
      const std::int64_t one = 8 * c + s, other = 8 * c + 4 + s;
      target.released.classes.push_back(c);
      target.links.photos_of_picture.push_back({one, other});
      pictures.push_back(
          ((faces.photos[one].to(torch::kFloat32) + faces.photos[other].to(torch::kFloat32)) / 2)
              .to(torch::kUInt8));
    }
  }
  target.released.pictures = torch::stack(pictures);
  for (std::int64_t p = 0; p < 24; ++p) target.known_as.push_back(p);
  const Findings found = attack_release(of(pixels()), target, std::nullopt, {});
  const auto picture = row_of(found.measurements, "pixel", Level::PictureToPerson);
  EXPECT_NEAR(picture.chance, 2.0 / 24, 1e-12) << "either of two is right";
  EXPECT_GT(picture.found.value, 0.9);
  EXPECT_EQ(people_of(picture), 12) << "people of one class are found together";
  const auto person = row_of(found.measurements, "pixel", Level::PersonToClass);
  EXPECT_EQ(people_of(person), 24);
  EXPECT_NEAR(person.chance, 1.0 / 12, 1e-12);
  EXPECT_EQ(person.people_per_class, 2);
  EXPECT_NEAR(naming_odds(person).value, person.found.value / 2, 1e-12);
}

TEST(Campaign, RefusesATargetWhoseLinksLeadNowhere) {
  Target target = test::one_to_one(numbered_faces(6, 2), as_they_are);
  target.links.photos_of_picture[3] = {12};
  EXPECT_THAT([&] { attack_release(of(pixels()), target, std::nullopt, {}); },
              ThrowsMessage<DataError>(HasSubstr("link")));
  target.links.photos_of_picture.pop_back();
  EXPECT_THROW(attack_release(of(pixels()), target, std::nullopt, {}), ConfigError);
}

}  // namespace
}  // namespace facemae
