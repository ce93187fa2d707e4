#include "data/archives/zip_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random/keys.h"
#include "tests/unit/data/archives/test_zips.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using test_images::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

/// Names with contents, or with "refused: ..." or "rejected: ...".
using Members = std::vector<std::pair<std::string, std::string>>;
Members members_of(const std::string& file) {
  TemporaryFolder here;
  test_images::put(here / "a.zip", bytes_of(file));
  const auto reader = open_archive(here / "a.zip", ArchiveKind::Zip);
  Members members;
  std::vector<std::byte> bytes;
  for (Member member; reader->next(member);) {
    std::string found = member.refuse.empty() ? member.reject : "refused: " + member.refuse;
    if (found.empty()) {
      const std::string wrong = reader->read(bytes);
      found.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (!wrong.empty()) found = "rejected: " + wrong;
    }
    members.emplace_back(member.path, found);
  }
  return members;
}
std::vector<std::string> names_in(const std::string& file) {
  std::vector<std::string> names;
  for (auto& [name, content] : members_of(file)) names.push_back(std::move(name));
  return names;
}

const std::vector<test_zips::Entry> kTwo = {{"A/1.jpg", "first"}, {"B/2.jpg", "second"}};
const auto kBoth = ElementsAre(Pair("A/1.jpg", "first"), Pair("B/2.jpg", "second"));

TEST(ZipReader, NamesAreTheirBytesWhateverTheirLetters) {
  const std::string nfc = "Zo\xc3\xab/1.jpg", nfd = "Zoe\xcc\x88/1.jpg", cp437 = "Zo\x89/1.jpg",
                    latin = "Zo\xeb/1.jpg", cp932 = "\x93\xfa\x96\x7b/1.jpg", utf8 = "\xe8\xaf\xb4.txt";
  const int flag = test_zips::kUtf8;
  EXPECT_THAT(names_in(test_zips::zip({{nfc, "x", flag},
                                       {nfd, "x", flag},
                                       {"\xe9\x9d\xa2/1.jpg", "x"},
                                       {cp437, "x"},
                                       {latin, "x"},
                                       {cp932, "x"},
                                       {utf8, "x", flag}})),
              ElementsAre(nfc, nfd, "\xe9\x9d\xa2/1.jpg", cp437, latin, cp932, utf8));
}

TEST(ZipReader, ANameFlaggedAsUtf8ThatIsNoneIsTold) {
  EXPECT_THAT(why<DataError>([] {
                names_in(test_zips::zip({{"Zo\xeb/1.jpg", "x", test_zips::kUtf8}}));
              }),
              HasSubstr("flagged as UTF-8"));
}

TEST(ZipReader, TheNameInUtf8CountsWhenThereIsOne) {
  const std::string name = "A/#U9762.jpg", utf8 = "A/\xe9\x9d\xa2.jpg";
  EXPECT_THAT(names_in(test_zips::zip({{name, "x", 0, 0, test_zips::unicode_path(name, utf8)}})),
              ElementsAre(utf8));
  EXPECT_THAT(names_in(test_zips::zip({{name, "x", 0, 0, test_zips::unicode_path("another", utf8)}})),
              ElementsAre(name))
      << "it is the name of something else";
}

TEST(ZipReader, ReadsZip64AndItsExtensibleDataSector) {
  EXPECT_THAT(members_of(test_zips::zip(kTwo, {.zip64 = true})), kBoth);
  EXPECT_THAT(members_of(test_zips::zip(kTwo, {.sector = std::string(300, 's'), .zip64 = true})), kBoth);
}

TEST(ZipReader, ReadsDataDescriptors) {
  auto entries = kTwo;
  for (auto& entry : entries) entry.flags = test_zips::kDescriptor;
  EXPECT_THAT(members_of(test_zips::zip(entries)), kBoth);
}

TEST(ZipReader, CommentsMayBeLongAndHoldTheMarkOfTheEnd) {
  for (const std::string& comment :
       {std::string(65535, 'c'), std::string("PK\5\6 is the mark of the end of a zip"),
        "PK\5\6" + std::string(65000, '\0'), test_zips::zip({})})
    EXPECT_THAT(members_of(test_zips::zip(kTwo, {.comment = comment})), kBoth) << comment.substr(0, 10);
}

TEST(ZipReader, WhatPrecedesAZipIsPassedOver) {
  for (const bool zip64 : {false, true})
    for (const std::size_t before : {1, 100, 300000}) {
      const std::string program(before, 'p');
      EXPECT_THAT(members_of(program + test_zips::zip(kTwo, {.zip64 = zip64})), kBoth) << before;
      EXPECT_THAT(members_of(program + test_zips::zip(kTwo, {.zip64 = zip64, .counted_from = before})), kBoth)
          << before << ", counted";
    }
}

TEST(ZipReader, SeveralZipsInOneFileAreRefused) {
  const std::string other = test_zips::zip({{"C/1.jpg", "third"}, {"D/2.jpg", "forth"}});
  for (const std::string& first : {test_zips::zip(kTwo), other, test_zips::zip(kTwo, {.comment = "some"})})
    EXPECT_THAT(why<DataError>([&] { members_of(first + other); }), HasSubstr("several zips"));
}

TEST(ZipReader, AZipInAZipIsAMember) {
  const std::string inner = test_zips::zip(kTwo);
  EXPECT_THAT(members_of(test_zips::zip({{"A/inner.zip", inner}})), ElementsAre(Pair("A/inner.zip", inner)));
}

TEST(ZipReader, SaysWhichMembersNobodyCanRead) {
  EXPECT_THAT(members_of(test_zips::zip({{"A/1.jpg", "x", test_zips::kEncrypted},
                                         {"A/2.jpg", "x", 0, 9},
                                         {"A/3.jpg", "x", 0, 98},
                                         {"A/4.jpg", "x", 0, 77}})),
              ElementsAre(Pair("A/1.jpg", HasSubstr("refused: is encrypted")),
                          Pair("A/2.jpg", HasSubstr("Deflate64")), Pair("A/3.jpg", HasSubstr("PPMd")),
                          Pair("A/4.jpg", HasSubstr("method 77"))));
}

TEST(ZipReader, ADamagedMemberOrHeaderCostsThatMemberAlone) {
  const std::string whole = test_zips::zip(kTwo);
  constexpr std::size_t kNameLength = 26;  // in the header before the content
  for (const std::size_t hit : {whole.find("first"), kNameLength}) {
    std::string file = whole;
    file[hit] ^= 1;
    EXPECT_THAT(members_of(file),
                ElementsAre(Pair("A/1.jpg", HasSubstr("rejected: damaged")), Pair("B/2.jpg", "second")));
  }
}

TEST(ZipReader, APartOfASplitZipIsToldHowToBeJoined) {
  std::string file = test_zips::zip(kTwo);
  file[file.find("PK\5\6") + 4] = 1;  // the number of this disk
  EXPECT_THAT(why<DataError>([&] { members_of(file); }), HasSubstr("zip -s 0"));
}

TEST(ZipReader, NoCutOrNoiseDoesMoreThanThrow) {
  const std::string whole = "program" + test_zips::zip(kTwo, {.comment = "c", .zip64 = true});
  TemporaryFolder here;
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_THAT(why<DataError>([&] { members_of(whole.substr(0, length)); }), HasSubstr("truncated"));
  Draws draws(9);
  int read = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    std::string noisy = whole;
    for (int hits = 1 + static_cast<int>(draws.below(4)); hits > 0; --hits)
      noisy[draws.below(noisy.size())] = static_cast<char>(draws.next());
    try {
      read += members_of(noisy).empty() ? 0 : 1;
    } catch (const DataError&) {
    }
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace facemae
