// What zip files alone can do to a set of faces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files/files.h"
#include "data/source/source.h"
#include "tests/unit/data/archives/test_archives.h"
#include "tests/unit/data/archives/test_zips.h"
#include "tests/unit/data/image/faulty_inputs.h"
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

TEST(ZipSource, ADamagedMemberIsRejectedAndTheRestGoesOn) {
  TemporaryFolder here;
  write_archive(here / "archive", "store", {{"A/1.jpg", "some bytes to be hit"}, {"A/2.jpg", "fine"}});
  const std::string whole = read_file(here / "archive");
  test_images::flip_bit(here / "archive", whole.find("some bytes"));
  const auto images = streamed(*zip_source({here / "archive"}, false));
  EXPECT_THAT(images.at("A/1.jpg"), HasSubstr("CRC"));
  EXPECT_EQ(images.at("A/2.jpg"), "fine");
}

TEST(ZipSource, AnEncryptedArchiveIsRefused) {
  TemporaryFolder here;
  write_archive(here / "archive", "encrypted", {{"A/1.jpg", "secret"}});
  EXPECT_THAT(why<DataError>([&] { zip_source({here / "archive"}, false); }), HasSubstr("is encrypted"));
}

TEST(ZipSource, AZeroByteInANameIsNoWayOut) {
  TemporaryFolder here;
  write_archive(here / "archive", "store", {{"A/1.jpgZ/../../../etc/passwd", "hostile"}});
  std::string file = read_file(here / "archive");
  for (auto at = file.find("jpgZ"); at != file.npos; at = file.find("jpgZ", at)) file[at + 3] = '\0';
  test_images::put(here / "archive", bytes_of(file));
  std::string name = "refused";
  try {
    name = zip_source({here / "archive"}, false)->name(0);
  } catch (const DataError&) {
  }
  EXPECT_THAT(name, testing::AnyOf("refused", "A/1.jpg"));
}

TEST(ZipSource, FlaggedNamesAreReadAlikeInBothPasses) {
  TemporaryFolder here;
  const std::string nfc = "Zo\xc3\xab/1.jpg", nfd = "Zoe\xcc\x88/1.jpg";
  const int flag = test_zips::kUtf8;
  test_images::put(here / "archive", bytes_of(test_zips::zip({{nfc, "nfc", flag},
                                                              {nfd, "nfd", flag},
                                                              {"Zo\x89/1.jpg", "cp437"},
                                                              {"\xe8\xaf\xb4.txt", "readme", flag}})));
  const auto source = zip_source({here / "archive"}, false);
  EXPECT_THAT(streamed(*source),
              testing::ElementsAre(testing::Pair(nfd, "nfd"), testing::Pair("Zo\x89/1.jpg", "cp437"),
                                   testing::Pair(nfc, "nfc")));
}

TEST(ZipSource, MembersThatNobodyCanReadAreRefusedIfTheyAreImages) {
  TemporaryFolder here;
  test_images::put(here / "archive",
                   bytes_of(test_zips::zip({{"A/1.jpg", "face"}, {"notes.txt", "x", 0, 9}})));
  EXPECT_EQ(zip_source({here / "archive"}, false)->size(), 1u);
  test_images::put(here / "archive", bytes_of(test_zips::zip({{"A/1.jpg", "face"}, {"A/2.jpg", "x", 0, 9}})));
  EXPECT_THAT(why<DataError>([&] { zip_source({here / "archive"}, false); }),
              testing::AllOf(HasSubstr("archive: "), HasSubstr("A/2.jpg"), HasSubstr("Deflate64")));
}

}  // namespace
}  // namespace facemae
