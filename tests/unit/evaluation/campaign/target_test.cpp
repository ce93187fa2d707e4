#include "evaluation/campaign/target.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <set>

#include "core/error.h"
#include "tests/unit/evaluation/campaign/planted_release.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Target small() {
  return test::one_to_one(
      test::random_faces(8, 3), [](const torch::Tensor& photos) { return 255 - photos; }, 2);
}

TEST(Target, KeepsWhoIsWhoWhenClassesAreChosen) {
  const Target all = small();
  const Target part = of_classes(all, {1, 4}, true);
  check_target(part);
  EXPECT_EQ(part.released.class_count, 2);
  EXPECT_EQ(part.members, 2);
  EXPECT_THAT(part.known_as, ElementsAre(101, 104, 106, 107)) << "two members, two strangers";
  EXPECT_THAT(part.released.classes, ElementsAre(0, 0, 0, 1, 1, 1));
  for (std::size_t i = 0; i < 6; ++i) {
    const auto photo = part.links.photos_of_picture[i].at(0);
    EXPECT_TRUE(
        torch::equal(part.released.pictures[static_cast<std::int64_t>(i)], 255 - part.real.photos[photo]));
  }
  EXPECT_EQ(part.lesson().real.people_count, 2) << "strangers teach nobody";
}

TEST(Target, HalvesTieNobodyToBothSides) {
  Target target = small();
  const auto plain = halves(target, 1);
  EXPECT_EQ(plain[0].size(), 3U);
  EXPECT_EQ(plain[1].size(), 3U);
  EXPECT_NE(halves(target, 1), halves(target, 2));
  target.links.people_of_class = {{0, 1}, {1, 2}, {2, 3}, {4}, {5}, {5, 4}};  // two chains
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const auto parts = halves(target, seed);
    const std::set<std::vector<std::int64_t>> either(parts.begin(), parts.end());
    EXPECT_EQ(either, (std::set<std::vector<std::int64_t>>{{0, 1, 2}, {3, 4, 5}}));
  }
  target.links.people_of_class = {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 0}};
  EXPECT_THROW(halves(target, 1), ConfigError);
}

TEST(Target, TakesPairsOfWholeClasses) {
  const Lesson all = small().lesson();
  const Lesson some = some_pairs(all, 7, 4);
  EXPECT_EQ(some.released.pictures.size(0), 7);
  EXPECT_EQ(some.real.photos.size(0), 7) << "only the photos of these pictures are known";
  EXPECT_EQ(some.released.class_count, 3);
  EXPECT_EQ(some_pairs(all, 0, 4).released.pictures.size(0), 18);
  EXPECT_FALSE(torch::equal(some_pairs(all, 3, 4).real.photos, some_pairs(all, 3, 5).real.photos));
}

TEST(Target, PlantsPhotosInPlaceOfPictures) {
  const Target all = small();
  const Planted planted = plant(all, 2, 9);
  check_target(planted.target);
  std::int64_t copies = 0;
  for (std::size_t i = 0; i < all.released.classes.size(); ++i) {
    const auto person = static_cast<std::size_t>(all.released.classes[i]);
    const auto picture = planted.target.released.pictures[static_cast<std::int64_t>(i)];
    const auto photo = all.real.photos[planted.target.links.photos_of_picture[i].at(0)];
    EXPECT_EQ(torch::equal(picture, photo), planted.people[person]);
    copies += planted.people[person] ? 1 : 0;
  }
  EXPECT_EQ(copies, 6);
}

TEST(Target, ReleasesOtherPhotosWithoutTheirCopies) {
  const Target others = other_photos(small());
  check_target(others);
  EXPECT_EQ(others.released.pictures.size(0), 6) << "one of three photos of each member";
  EXPECT_EQ(others.real.photos.size(0), 18);
  for (std::int64_t i = 0; i < 6; ++i)
    for (std::int64_t j = 0; j < 18; ++j)
      EXPECT_FALSE(torch::equal(others.released.pictures[i], others.real.photos[j]));
  const Target single = other_photos(
      test::one_to_one(test::random_faces(4, 1), [](const torch::Tensor& photos) { return photos.clone(); }));
  EXPECT_THAT(single.released.classes, IsEmpty());
}

}  // namespace
}  // namespace facemae
