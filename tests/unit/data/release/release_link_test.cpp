#include "data/release/release_link.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "data/hdf5/hdf5.h"
#include "tests/unit/data/release/released.h"

namespace facemae {
namespace {

using namespace released;
using testing::ElementsAre;

/// A link as it lies in a private folder.
void write_file(const Path& folder, const std::vector<std::uint64_t>& rows,
                const std::vector<std::uint64_t>& offsets) {
  std::filesystem::create_directories(folder);
  auto file = hdf5::File::create(folder / "link.h5");
  file.write_attribute("format", std::string("facemae-link"));
  file.write_attribute("version", std::uint64_t{offsets.empty() ? 1U : 2U});
  file.write_attribute("source_digest", std::string("a"));
  file.write_attribute("released_digest", std::string("b"));
  file.write_array("/source_row", rows);
  if (!offsets.empty()) file.write_array("/source_offset", offsets);
  file.close();
}

TEST(ReleaseLink, NamesAllPhotosOfAPictureAndOneInOldFiles) {
  const TemporaryFolder folder;
  write_file(folder / "blend", {7, 8, 9, 1, 2}, {0, 2, 2, 5});
  const auto blend = read_link(folder / "blend");
  ASSERT_EQ(blend.pictures(), 3U);
  EXPECT_THAT(blend.sources_of(0), ElementsAre(7, 8));
  EXPECT_THAT(blend.sources_of(1), ElementsAre());
  EXPECT_THAT(blend.sources_of(2), ElementsAre(9, 1, 2));

  write_file(folder / "old", {7, 8, 9}, {});
  const auto old = read_link(folder / "old");
  ASSERT_EQ(old.pictures(), 3U);
  EXPECT_THAT(old.sources_of(2), ElementsAre(9));
}

TEST(ReleaseLink, IsRefusedWhenItsNumbersDisagree) {
  const TemporaryFolder folder;
  for (const auto& offsets : std::vector<std::vector<std::uint64_t>>{{0, 2}, {1, 3}, {0, 2, 1, 3}, {0, 4}}) {
    write_file(folder / "link", {7, 8, 9}, offsets);
    EXPECT_THROW(read_link(folder / "link"), DataError);
  }
}

TEST(ReleaseLink, NamesAllPhotosOfTheClassWhereACodeIsOfAll) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {3, 3, 3});
  const ReleasePlan plan{.source_rows = {7, 0, 3, 4, 6},
                         .labels = {1, 0, 0, -1, 1},
                         .identities = 2,
                         .shard_images = 9,
                         .whole_classes = true};
  PrivateFolder secrets((folder / "secret").string());
  write_link(secrets, {.uuid = "u", .source_digest = "s"}, plan, Hash128{1, 2}, *source);
  const auto link = read_link(folder / "secret");
  ASSERT_EQ(link.pictures(), 5U);
  EXPECT_THAT(link.sources_of(0), ElementsAre(6, 7));
  EXPECT_THAT(link.sources_of(4), ElementsAre(6, 7));
  EXPECT_THAT(link.sources_of(1), ElementsAre(0, 3));
  EXPECT_THAT(link.sources_of(3), ElementsAre(4)) << "of no class";
  EXPECT_THAT(people_of_classes(link, *source, plan.labels, 2),
              ElementsAre(ElementsAre(0), ElementsAre(0, 1)));
}

TEST(ReleaseLink, KnowsThePeopleOfAClass) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {3, 3, 3});  // rows 0, 3, 6 of person 0, ...
  const ReleaseLink link{.source_rows = {0, 4, 3, 1, 2, 5}, .offsets = {0, 2, 4, 6}};
  EXPECT_THAT(people_of_classes(link, *source, std::vector<std::int64_t>{1, 1, 0}, 2),
              ElementsAre(ElementsAre(2), ElementsAre(0, 1)));
}

}  // namespace
}  // namespace facemae
