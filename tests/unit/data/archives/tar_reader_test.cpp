#include "data/archives/tar_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/unit/data/archives/test_archives.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using test_archives::write_archive;
using test_images::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

class TarsOfAKind : public testing::TestWithParam<const char*> {
 protected:
  std::string made(const std::vector<test_archives::Member>& members) {
    write_archive(here / "made", GetParam(), members);
    return read_file(here / "made");
  }
  std::vector<std::string> names_in(const std::string& file) {
    test_images::put(here / "read", bytes_of(file));
    const auto reader = open_archive(here / "read", ArchiveKind::Tar);
    std::vector<std::string> names;
    for (Member member; reader->next(member);) names.push_back(member.path);
    return names;
  }
  TemporaryFolder here;
};
INSTANTIATE_TEST_SUITE_P(Tars, TarsOfAKind,
                         testing::Values("tar", "tar.gz", "tar.zst", "tar.xz", "tar.bz2", "tar.lz4"),
                         [](const auto& kind) {
                           std::string name = kind.param;
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

TEST_P(TarsOfAKind, TarsThatFollowOneAnotherAreAllRead) {
  const std::string a = made({{"A/1.jpg", "a1"}}), b = made({{"B/1.jpg", "b1"}, {"B/2.jpg", "b2"}}),
                    c = made({{"C/1.jpg", std::string(3000, 'c')}});
  EXPECT_THAT(names_in(a + b), ElementsAre("A/1.jpg", "B/1.jpg", "B/2.jpg"));
  EXPECT_THAT(names_in(a + c + b + a), ElementsAre("A/1.jpg", "C/1.jpg", "B/1.jpg", "B/2.jpg", "A/1.jpg"));
}

TEST_P(TarsOfAKind, ZerosBehindATarAreNothing) {
  const std::string a = made({{"A/1.jpg", "a1"}}), zeros(1 << 20, '\0');
  if (std::string(GetParam()) == "tar.zst") return;  // zstd takes them for damage
  EXPECT_THAT(names_in(a + zeros), ElementsAre("A/1.jpg"));
  if (std::string(GetParam()) != "tar") return;
  EXPECT_THAT(names_in(a + zeros + made({{"B/1.jpg", "b1"}})), ElementsAre("A/1.jpg", "B/1.jpg"));
}

TEST_P(TarsOfAKind, WhatFollowsATarAndIsNoneIsRefused) {
  const std::string a = made({{"A/1.jpg", "a1"}});
  for (const std::string& junk : {std::string("junkjunk"), std::string(700, 'j'), std::string(5000, 'j'),
                                  std::string(3000, '\0') + std::string(512, 'j')})
    for (const std::size_t zeros : {0, 2048})
      EXPECT_THAT(why<DataError>([&] { names_in(a + junk + std::string(zeros, '\0')); }), HasSubstr("/read"))
          << junk.size() << " and " << zeros;
}

TEST(TarReader, NamesAreTheirBytesWhateverTheirLetters) {
  TemporaryFolder here;
  const std::string names[] = {"Zo\xc3\xab/1.jpg", "Zoe\xcc\x88/1.jpg", "Zo\xeb/1.jpg",
                               "\x93\xfa\x96\x7b/1.jpg", std::string(300, 'n') + "\xe9\x9d\xa2/1.jpg"};
  for (const char* format : {"gnutar", "pax", "ustar"}) {
    archive* a = archive_write_new();
    archive_write_set_format_by_name(a, format);
    archive_write_set_options(a, "hdrcharset=BINARY");  // pax: as UTF-8 where it is, else as bytes
    archive_write_open_filename(a, (here / "a.tar").c_str());
    std::vector<std::string> written;
    for (const std::string& name : names) {
      if (std::string(format) == "ustar" && name.size() > 200) continue;
      archive_entry* entry = archive_entry_new();
      archive_entry_copy_pathname(entry, name.c_str());
      archive_entry_set_filetype(entry, AE_IFREG);
      archive_entry_set_size(entry, 0);
      ASSERT_EQ(archive_write_header(a, entry), ARCHIVE_OK) << archive_error_string(a);
      archive_entry_free(entry);
      written.push_back(name);
    }
    archive_write_free(a);
    const auto reader = open_archive(here / "a.tar", ArchiveKind::Tar);
    std::vector<std::string> found;
    for (Member member; reader->next(member);) found.push_back(member.path);
    EXPECT_EQ(found, written) << format;
  }
}

}  // namespace
}  // namespace facemae
