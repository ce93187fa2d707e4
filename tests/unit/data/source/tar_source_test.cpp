// What tar files alone can do to a set of faces, WebDatasets among them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/error.h"
#include "core/files/files.h"
#include "data/archives/archive.h"
#include "data/source/source.h"
#include "tests/unit/data/archives/test_archives.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/source/streamed.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using test_archives::streamed;
using test_archives::write_archive;
using test_images::TemporaryFolder;
using testing::HasSubstr;

TEST(TarSource, AMemberTooLargeForAnImageIsRejectedAndTheRestGoesOn) {
  TemporaryFolder here;
  write_archive(here / "archive", "tar",
                {{"A/1.jpg", std::string(ArchiveReader::kMostMemberBytes + 1, 'x')}, {"A/2.jpg", "fine"}});
  const auto images = streamed(*tar_source({here / "archive"}, false));
  EXPECT_THAT(images.at("A/1.jpg"), HasSubstr("no image of a face"));
  EXPECT_EQ(images.at("A/2.jpg"), "fine");
}

TEST(TarSource, ReadsFlatWebDatasets) {
  TemporaryFolder here;
  write_archive(here / "0.tar", "tar",
                {{"0.jpg", "a"}, {"0.cls", "10"}, {"./1.cls", "2"}, {"./1.jpg", "b"}, {"1.png", "c"}});
  write_archive(here / "1.tar.gz", "tar.gz", {{"0.jpg", "d"}, {"0.json", R"({"label": 2})"}});
  const auto source = tar_source({here / "0.tar", here / "1.tar.gz"}, false);
  EXPECT_THAT(source->identity_names(), testing::ElementsAre("02", "10"));
  EXPECT_THAT(
      streamed(*source),
      testing::ElementsAre(testing::Pair("02/0.tar/1.jpg", "b"), testing::Pair("02/0.tar/1.png", "c"),
                           testing::Pair("02/1.tar.gz/0.jpg", "d"), testing::Pair("10/0.tar/0.jpg", "a")));
}

TEST(TarSource, ReadsWebDatasetsWhoseFoldersAreNoIdentities) {
  TemporaryFolder here;
  write_archive(here / "0.tar", "tar",
                {{"a/0.jpg", "a0"},
                 {"a/0.cls", "1"},
                 {"a/1.jpg", "a1"},
                 {"a/1.cls", "0"},
                 {"b/0.jpg", "b0"},
                 {"b/0.cls", "0"}});
  EXPECT_THAT(
      streamed(*tar_source({here / "0.tar"}, false)),
      testing::ElementsAre(testing::Pair("0/0.tar/a/1.jpg", "a1"), testing::Pair("0/0.tar/b/0.jpg", "b0"),
                           testing::Pair("1/0.tar/a/0.jpg", "a0")));
}

TEST(TarSource, NamesTheImageOfAWebDatasetWithoutAClass) {
  TemporaryFolder here;
  write_archive(here / "0.tar", "tar", {{"0.jpg", "a"}, {"0.cls", "1"}, {"1.jpg", "b"}});
  write_archive(here / "1.tar", "tar", {{"1.cls", "1"}, {"2.jpg", "c"}, {"2.cls", "0"}});
  EXPECT_THAT(why<DataError>([&] {
                tar_source({here / "0.tar", here / "1.tar"}, false);
              }),
              testing::AllOf(HasSubstr("0.tar: "), HasSubstr("\"1.jpg\""), HasSubstr(".cls")));
  write_archive(here / "2.tar", "tar", {{"0.jpg", "a"}, {"0.cls", "1"}, {"A/1.jpg", "b"}});
  EXPECT_THAT(why<DataError>([&] { tar_source({here / "2.tar"}, false); }),
              testing::AllOf(HasSubstr("\"A/1.jpg\""), HasSubstr("folder is no identity")));
}

TEST(TarSource, LinksAreRejectsAndDirectoriesAreNothing) {
  TemporaryFolder here;
  write_archive(here / "archive", "tar",
                {{"A/1.jpg", "face"}, {"A/2.jpg", "1.jpg", AE_IFLNK}, {"B.jpg", "", AE_IFDIR}});
  const auto images = streamed(*tar_source({here / "archive"}, false));
  EXPECT_THAT(images, testing::ElementsAre(testing::Pair("A/1.jpg", "face"),
                                           testing::Pair("A/2.jpg", HasSubstr("a link in the archive"))));
}

TEST(TarSource, AnArchiveThatChangedSinceItWasListedIsNoticed) {
  TemporaryFolder here;
  write_archive(here / "archive", "tar", {{"A/1.jpg", "face"}, {"A/2.jpg", "face"}});
  const auto source = tar_source({here / "archive"}, false);
  write_archive(here / "archive", "tar", {{"A/1.jpg", "face"}});
  EXPECT_THAT(why<DataError>([&] { streamed(*source); }), HasSubstr("changed since"));
  write_archive(here / "archive", "tar", {{"A/1.jpg", "face"}, {"A/3.jpg", "face"}});
  EXPECT_THAT(why<DataError>([&] { streamed(*source); }), HasSubstr("changed since"));
}

TEST(TarSource, ReadsATarOfOthers) {
  const char* shared = std::getenv("FACEMAE_SHARED_DATA");
  const Path tar = Path(shared == nullptr ? "" : shared) / "formats/insightface_bin/small_dataset.tar";
  if (!std::filesystem::exists(tar)) GTEST_SKIP() << tar << " is not there (FACEMAE_SHARED_DATA)";
  const auto source = tar_source({tar}, false);
  EXPECT_THAT(source->identity_names(), testing::ElementsAre("images"));
  const auto images = streamed(*source);
  ASSERT_EQ(images.size(), 10u);
  for (const auto& [name, bytes] : images) EXPECT_EQ(Decoder().decode(bytes_of(bytes)).width, 112) << name;
  EXPECT_EQ(images.at("images/00000303.jpg").size(), 7969u);
}

}  // namespace
}  // namespace facemae
