#include "evaluation/embeddings/embedding_audit.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"

namespace facemae {
namespace {

/// `count` people with `photos` each, whose pictures are released in classes of `k` people each.
struct SmallRelease {
  ReleasePeople people;
  SmallRelease(std::int64_t count, std::int64_t photos, std::int64_t k, std::int64_t strangers = 0) {
    people.people = count + strangers;
    people.classes = count / k;
    for (std::int64_t i = 0; i < people.people * photos; ++i) people.person_of_photo.push_back(i / photos);
    for (std::int64_t label = 0; label < people.classes; ++label)
      for (std::int64_t photo = 0; photo < photos; ++photo) {
        people.class_of_picture.push_back(people.classes - 1 - label);
        std::vector<std::int64_t> sources;
        for (std::int64_t member = 0; member < k; ++member)
          sources.push_back((label * k + member) * photos + photo);
        people.photos_of_picture.add(sources);
      }
    complete(people);
  }
  /// Pictures that are the means of what they were made of.
  torch::Tensor blended(const torch::Tensor& real) const {
    std::vector<torch::Tensor> pictures;
    for (std::int64_t i = 0; i < people.photos_of_picture.size(); ++i) {
      const auto sources = people.photos_of_picture[i];
      pictures.push_back(
          real.index_select(0, torch::tensor(std::vector<std::int64_t>(sources.begin(), sources.end())))
              .mean(0));
    }
    return torch::stack(pictures);
  }
  std::vector<Measurement> attacked(const torch::Tensor& real, const torch::Tensor& released,
                                    const EmbeddingAuditOptions& options = {}) const {
    std::vector<Measurement> all;
    for (const auto& stage : embedding_stages(embeddings_of(real), embeddings_of(released), people, options))
      for (auto& found :
           measurements_of(stage, stand_in(stage, 0, stage.probes), "test", people.most_people_of_class))
        all.push_back(std::move(found));
    return all;
  }
};

const Measurement& at(const std::vector<Measurement>& all, Level level, const std::string& control = "") {
  return *std::find_if(all.begin(), all.end(),
                       [&](const Measurement& m) { return m.level == level && m.control == control; });
}

/// Photos of a person lie around a centre of its own.
torch::Tensor faces(std::int64_t people, std::int64_t photos, std::uint64_t seed) {
  torch::manual_seed(seed);
  return (torch::randn({people, 1, 32}) + 0.3 * torch::randn({people, photos, 32})).reshape({-1, 32});
}

TEST(EmbeddingAudit, FindsEverybodyWhereTheReleaseIsTheOriginals) {
  const SmallRelease world(30, 4, 1);
  const auto real = faces(30, 4, 1);
  const auto all = world.attacked(real, world.blended(real));
  ASSERT_EQ(all.size(), 6u);
  for (const Measurement& found : all) {
    EXPECT_EQ(found.found.value, 1) << name_of(found.level) << found.control;
    EXPECT_EQ(found.tallies.size(), 30u);
    EXPECT_GT(found.found.low, 0.85);
  }
  EXPECT_NEAR(at(all, Level::OwnPicture).chance, 1.0 / 120, 1e-12);
  EXPECT_NEAR(at(all, Level::PictureToPerson).chance, 4.0 / 120, 1e-12);
  EXPECT_NEAR(at(all, Level::PictureToPerson, "real_other_photo").chance, 3.0 / 119, 1e-12);
  EXPECT_NEAR(at(all, Level::PersonToClass).chance, 1.0 / 30, 1e-12);
  EXPECT_EQ(at(all, Level::PhotoToClass).tallies[7].trials, 4);
}

TEST(EmbeddingAudit, IsAtChanceOnEmbeddingsThatKnowNothing) {
  const SmallRelease world(200, 3, 1);
  const auto all = world.attacked(faces(200, 3, 1), torch::randn({600, 32}));
  for (const Measurement& found : all) {
    if (!found.control.empty()) continue;
    EXPECT_LE(found.found.low, found.chance) << name_of(found.level);
    EXPECT_GE(found.found.high, found.chance) << name_of(found.level);
    EXPECT_LT(found.found.value, 0.05);
  }
  EXPECT_GT(at(all, Level::PictureToPerson, "real_other_photo").found.value, 0.9);
}

TEST(EmbeddingAudit, NamesOneOfThePeopleOfABlend) {
  const SmallRelease world(40, 5, 4, 6);  // and six strangers, who are in no class
  const auto real = faces(46, 5, 3);
  const auto all = world.attacked(real, world.blended(real));
  ASSERT_EQ(all.size(), 5u);  // no picture is of one photo
  const double found = at(all, Level::PersonToClass).found.value;
  EXPECT_GT(found, 0.9);
  EXPECT_EQ(at(all, Level::PersonToClass).tallies.size(), 40u);
  EXPECT_NEAR(at(all, Level::PersonToClass).chance, 0.1, 1e-12);
  EXPECT_NEAR(naming_odds(at(all, Level::PersonToClass)).value, found / 4, 1e-12);
  EXPECT_EQ(at(all, Level::ClassToPerson).found.value, 1);
  EXPECT_EQ(at(all, Level::ClassToPerson).tallies.size(), 10u);
  EXPECT_NEAR(at(all, Level::ClassToPerson).chance, 4.0 / 46, 1e-12);
  EXPECT_EQ(world.people.most_people_of_class, 4);
}

TEST(EmbeddingAudit, TriesSoManyPicturesAsToldAndTheSameOnesAgain) {
  const SmallRelease world(50, 4, 1);
  const auto real = faces(50, 4, 1);
  const auto trials = [](const Measurement& found) {
    std::vector<std::pair<std::int64_t, double>> of_people;
    for (const Tally& tally : found.tallies) of_people.emplace_back(tally.person, tally.trials);
    return of_people;
  };
  const auto first = world.attacked(real, real, {.max_probes = 37, .seed = 5}),
             again = world.attacked(real, real, {.max_probes = 37, .seed = 5}),
             other = world.attacked(real, real, {.max_probes = 37, .seed = 6});
  for (const Level level : {Level::OwnPicture, Level::PhotoToClass}) {
    double sum = 0;
    for (const auto& [person, count] : trials(at(first, level))) sum += count;
    EXPECT_EQ(sum, 37);
    EXPECT_EQ(trials(at(first, level)), trials(at(again, level)));
    EXPECT_NE(trials(at(first, level)), trials(at(other, level)));
  }
}

TEST(EmbeddingAudit, RefusesEmbeddingsOfOtherStores) {
  const SmallRelease world(4, 2, 1);
  const auto real = faces(4, 2, 1);
  EXPECT_THROW(world.attacked(real.narrow(0, 0, 7), real), ConfigError);
  EXPECT_THROW(world.attacked(real, real.narrow(0, 0, 7)), ConfigError);
  EXPECT_THROW(world.attacked(real, real.narrow(1, 0, 7)), ConfigError);
  ReleasePeople wrong = world.people;
  wrong.photos_of_picture.numbers.back() = 8;
  EXPECT_THROW(complete(wrong), DataError);
}

}  // namespace
}  // namespace facemae
