#include "trainer/insiders/several_releases.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <set>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "evaluation/linkage/linkage.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"
#include "trainer/release/rebuild_release.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class Pixels final : public Attacker {
 public:
  AttackerFacts facts() const override { return {.id = "A0", .name = "pixels"}; }
  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    return {.released = pixel_features(released.pictures, 8), .real = pixel_features(real.photos, 8)};
  }
};

class TwoReleases : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    store_ = testing_stores::make_store(folder_ / "s", {4, 3, 2});
    test::write_model(folder_ / "mae.safetensors", test::small_model());
    release("first", "");
    release("second", "a test");
  }
  void release(const std::string& out, const std::string& reason) {
    const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
    rebuild_release(*world,
                    {.store = folder_ / "s",
                     .out = folder_ / out,
                     .private_folder = folder_ / "hidden",
                     .second_release = reason,
                     .from = folder_ / "mae.safetensors"},
                    [] {});
  }
  test::TemporaryFolder folder_;
  std::shared_ptr<const Store> store_;
};

TEST_F(TwoReleases, AreReadWithTheLinksOfOnePrivateFolderAndMeasuredTogether) {
  const RealFaces photos = photos_of_people(*store_);
  EXPECT_EQ(photos.people_count, 3);
  std::vector<LinkedRelease> releases;
  for (const char* name : {"first", "second"})
    releases.push_back(load_release(*store_, photos, folder_ / name, folder_ / "hidden"));
  for (const auto& one : releases) {
    ASSERT_EQ(one.links.photos_of_picture.size(), 9U);
    for (std::size_t i = 0; i < 9; ++i) {
      const auto photo = static_cast<std::size_t>(one.links.photos_of_picture[i].at(0));
      const auto& people = one.links.people_of_class[static_cast<std::size_t>(one.faces.classes[i])];
      EXPECT_EQ(people, std::vector{photos.people[photo]});
    }
  }
  std::vector<std::unique_ptr<Attacker>> attackers;
  attackers.push_back(std::make_unique<Pixels>());
  const auto found = several_releases(photos, releases, attackers);
  ASSERT_EQ(found.size(), 8U) << "four levels, with one release and with two";
  EXPECT_EQ(found.front().attacker, "pixels, 1 release");
  EXPECT_EQ(found.back().attacker, "pixels, 2 releases");
  for (const auto& one : found) EXPECT_EQ(one.attack, "A8");
  EXPECT_THAT([&] { several_releases(photos, std::span(releases).first(1), attackers); },
              ThrowsMessage<ConfigError>(HasSubstr("--also-released")));
}

TEST_F(TwoReleases, AreComparedByTheirPhotosWhenSomebodyHasLeft) {
  Selection who{.identities = {true, false, true}};
  select_from_store(real_files(), *store_, who, folder_ / "smaller");
  const auto smaller = Store::open(folder_ / "smaller");
  const RealFaces photos = photos_of_people(*smaller);
  EXPECT_THAT([&] { load_release(*smaller, photos, folder_ / "first", folder_ / "hidden"); },
              ThrowsMessage<ConfigError>(HasSubstr("--also-real")));
  const LinkedRelease first =
      load_release(*smaller, photos, folder_ / "first", folder_ / "hidden", {folder_ / "s"});
  ASSERT_EQ(first.faces.pictures.size(0), 6) << "those of the person who left are nobody's here";
  EXPECT_EQ(first.faces.class_count, 2);
  std::set<std::int64_t> shown;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::int64_t photo = first.links.photos_of_picture[i].at(0);
    shown.insert(photo);
    EXPECT_EQ(first.links.people_of_class[static_cast<std::size_t>(first.faces.classes[i])],
              std::vector{photos.people[static_cast<std::size_t>(photo)]});
  }
  EXPECT_EQ(shown.size(), 6U) << "each photo is shown once";
  EXPECT_THAT(
      [&] { load_release(*smaller, photos, folder_ / "first", folder_ / "hidden", {folder_ / "smaller"}); },
      ThrowsMessage<ConfigError>(HasSubstr("--also-real")));
}

TEST_F(TwoReleases, AreRefusedWithTheLinkOfAnother) {
  const RealFaces photos = photos_of_people(*store_);
  const auto other = testing_stores::make_store(folder_ / "other", {4, 3, 3});
  EXPECT_THAT([&] { load_release(*other, photos, folder_ / "first", folder_ / "hidden"); },
              ThrowsMessage<ConfigError>(HasSubstr("was not made of")));
}

}  // namespace
}  // namespace facemae
