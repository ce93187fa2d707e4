#include "trainer/release/audit_target.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <set>

#include "core/error.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::ThrowsMessage;

class AuditTargets : public testing::Test {
 protected:
  /// The release is a store of its own with the first people's pictures in place of rebuilt ones.
  void SetUp() override {
    real_ = testing_stores::make_store(folder_ / "real", {3, 2, 4, 2, 2, 3});
    released_ = testing_stores::make_store(folder_ / "released", {2, 2, 2, 2, 2});
    link_ = {.source_digest = real_->dataset_digest().hex(),
             .released_digest = released_->dataset_digest().hex()};
    // Class c is person 4 - c; its pictures are that person's first two photos.
    std::vector<std::size_t> seen(5);
    for (std::uint64_t row = 0; row < released_->size(); ++row) {
      const auto c = static_cast<std::size_t>(released_->label(row));
      link_.source_rows.push_back(real_->rows_of(4 - static_cast<std::int64_t>(c))[seen[c]++]);
    }
  }
  test::TemporaryFolder folder_;
  std::shared_ptr<const Store> real_, released_;
  ReleaseLink link_;
};

TEST_F(AuditTargets, HoldMembersThenStrangersThenDistractors) {
  const auto others = testing_stores::make_store(folder_ / "others", {1, 2});
  const AuditTarget made = audit_target(*real_, *released_, link_, others.get(), {.seed = 1});
  const Target& target = made.target;
  EXPECT_FALSE(made.blends);
  EXPECT_EQ(target.members, 5);
  EXPECT_THAT(target.known_as, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7))
      << "5 was never released, 6 and 7 are from elsewhere";
  EXPECT_THAT(target.links.people_of_class,
              ElementsAre(ElementsAre(4), ElementsAre(3), ElementsAre(2), ElementsAre(1), ElementsAre(0)));
  EXPECT_EQ(target.real.photos.size(0), 16 + 3);
  EXPECT_EQ(target.released.pictures.size(0), 10);
  for (std::size_t i = 0; i < 10; ++i) {
    const auto photo = static_cast<std::size_t>(target.links.photos_of_picture[i].at(0));
    EXPECT_EQ(target.real.people[photo], 4 - target.released.classes[i]);
    EXPECT_EQ(photo, link_.source_rows[i]) << "the gallery is the whole store, in its order";
  }
  EXPECT_THAT(made.real.bytes, SizeIs(19));
  EXPECT_THAT(made.released.header, SizeIs(10));
  EXPECT_EQ(made.real.names[5], testing_stores::planted_name(5));
}

TEST_F(AuditTargets, AreWholeClassesWhenThereAreMorePictures) {
  const AuditTarget made = audit_target(*real_, *released_, link_, nullptr, {.most_pictures = 8, .seed = 1});
  EXPECT_EQ(made.target.released.class_count, 4);
  EXPECT_EQ(made.target.released.pictures.size(0), 8);
  EXPECT_EQ(made.target.members, 4);
  EXPECT_EQ(made.target.real.people_count, 5) << "with the stranger, without the fifth, who is a member";
  std::set<std::vector<std::int64_t>> draws;
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U, 6U})
    draws.insert(
        audit_target(*real_, *released_, link_, nullptr, {.most_pictures = 8, .seed = seed}).target.known_as);
  EXPECT_GT(draws.size(), 1U);
}

TEST_F(AuditTargets, AreAFewPicturesAndTheirOriginalsForAFirstLook) {
  const AuditTarget made = audit_target(*real_, *released_, link_, nullptr,
                                        {.most_of_class = 1, .originals_alone = true, .seed = 1});
  EXPECT_EQ(made.target.released.class_count, 5);
  EXPECT_EQ(made.target.released.pictures.size(0), 5);
  EXPECT_EQ(made.target.real.photos.size(0), 5);
  EXPECT_EQ(made.target.real.people_count, 5) << "no stranger";
  for (std::size_t i = 0; i < 5; ++i) {
    const auto photo = static_cast<std::size_t>(made.target.links.photos_of_picture[i].at(0));
    EXPECT_EQ(made.target.real.people[photo], 4 - made.target.released.classes[i]);
  }
}

TEST_F(AuditTargets, RefuseALinkOfOtherStores) {
  auto other = link_;
  other.source_digest = "0";
  EXPECT_THAT([&] { audit_target(*real_, *released_, other, nullptr, {.seed = 1}); },
              ThrowsMessage<ConfigError>(HasSubstr("--real is not the store that was rebuilt")));
}

}  // namespace
}  // namespace facemae
