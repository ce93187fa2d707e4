#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <map>

#include "core/error.h"
#include "core/random/keys.h"
#include "data/archives/archive.h"
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

std::unique_ptr<ImageSource> open(const std::vector<Path>& archives, const std::string& kind) {
  return kind.starts_with("tar") ? tar_source(archives, false) : zip_source(archives, false);
}

const std::vector<test_archives::Member> kFaces = {
    {"WebFace260M/0_0_0000001/0_1.jpg", "second of first"},
    {"WebFace260M/0_0_0000000/", "", AE_IFDIR},
    {"WebFace260M/0_0_0000000/0_0.jpg", std::string(200000, 'x')},
    {"WebFace260M/readme.txt", "text"},
    {"WebFace260M/0_0_0000001/0_0.PNG", "first of first"},
    {"__MACOSX/0_0_0000001/._0_0.jpg", "apple"},
    {"WebFace260M/0_0_0000001/.DS_Store", "apple"}};

class EveryKind : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Archives, EveryKind,
                         testing::Values("zip", "store", "tar", "tar.gz", "tar.zst", "tar.xz", "tar.bz2"),
                         [](const auto& kind) {
                           std::string name = kind.param;
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

TEST_P(EveryKind, IsListedSortedAndStreamedInFull) {
  TemporaryFolder here;
  const Path path = here / (std::string("faces.") + GetParam());
  write_archive(path, GetParam(), kFaces);
  const auto source = open({path}, GetParam());
  EXPECT_THAT(source->identity_names(), testing::ElementsAre("0_0_0000000", "0_0_0000001"));
  ASSERT_EQ(source->size(), 3u);
  EXPECT_EQ(source->name(0), "0_0_0000000/0_0.jpg");
  EXPECT_EQ(source->name(1), "0_0_0000001/0_0.PNG");
  EXPECT_EQ(source->label(2), 1);
  EXPECT_EQ(source->archives(), 1u);
  EXPECT_THAT(streamed(*source),
              testing::ElementsAre(testing::Pair("0_0_0000000/0_0.jpg", std::string(200000, 'x')),
                                   testing::Pair("0_0_0000001/0_0.PNG", "first of first"),
                                   testing::Pair("0_0_0000001/0_1.jpg", "second of first")));
}

TEST_P(EveryKind, SeveralArchivesAreOneSet) {
  TemporaryFolder here;
  const std::string kind = GetParam(), ending = kind == "store" ? "zip" : kind;
  write_archive(here / "set/0" / ("0_1." + ending), kind, {{"B/2.jpg", "b2"}, {"A/1.jpg", "a1"}});
  write_archive(here / "set/0" / ("0_0." + ending), kind, {{"deep/er/B/1.jpg", "b1"}});
  write_archive(here / "more", kind, {{"C/1.jpg", "c1"}});
  const auto source = open({here / "set", here / "more"}, kind);
  EXPECT_EQ(source->archives(), 3u);
  EXPECT_THAT(source->identity_names(), testing::ElementsAre("A", "B", "C"));
  EXPECT_THAT(streamed(*source),
              testing::ElementsAre(testing::Pair("A/1.jpg", "a1"), testing::Pair("B/1.jpg", "b1"),
                                   testing::Pair("B/2.jpg", "b2"), testing::Pair("C/1.jpg", "c1")));
}

TEST_P(EveryKind, OneNameInTwoArchivesIsAnErrorThatNamesBoth) {
  TemporaryFolder here;
  write_archive(here / "first", GetParam(), {{"x/A/1.jpg", "a"}});
  write_archive(here / "second", GetParam(), {{"y/A/1.jpg", "a"}, {"y/B/1.jpg", "b"}});
  EXPECT_THAT(why<DataError>([&] {
                open({here / "first", here / "second"}, GetParam());
              }),
              testing::AllOf(HasSubstr("A/1.jpg"), HasSubstr("/first"), HasSubstr("/second")));
}

TEST_P(EveryKind, NoTruncationPassesForAWholeArchive) {
  TemporaryFolder here;
  const Path path = here / "archive";
  Draws draws(3);
  std::string noise;  // does not compress, so that every part of the file matters
  for (int i = 0; i < 1500; ++i) noise += static_cast<char>(draws.next());
  write_archive(path, GetParam(),
                {{"A/1.jpg", noise}, {"A/2.jpg", noise.substr(0, 700)}, {"B/1.jpg", "small"}});
  const std::string whole = read_file(path);
  ASSERT_EQ(streamed(*open({path}, GetParam())).size(), 3u);
  // A tar may lack all but one of the zero blocks that end it: nothing of its content is gone then.
  const bool plain_tar = std::string(GetParam()) == "tar";
  const std::size_t content = plain_tar ? whole.find_last_not_of('\0') / 512 * 512 + 512 : whole.size() - 1;
  for (std::size_t length = 0; length < (plain_tar ? content + 1 : whole.size());
       length += length % 512 < 2 ? 1 : 37) {
    test_images::put(path, bytes_of(whole.substr(0, length)));
    EXPECT_THAT(why<Error>([&] { streamed(*open({path}, GetParam())); }), HasSubstr("truncated")) << length;
  }
}

TEST_P(EveryKind, NamesThatLeaveTheFolderAreRefused) {
  TemporaryFolder here;
  const std::pair<const char*, const char*> hostile[] = {
      {"../../etc/1.jpg", ".."},      {"A/../../1.jpg", ".."}, {"/A/1.jpg", "absolute"},
      {"C:/A/1.jpg", "drive letter"}, {"A\\..\\1.jpg", ".."},  {"../outside.txt", ".."},
      {"1.jpg", "no folder"}};
  for (const auto& [name, fault] : hostile) {
    write_archive(here / "archive", GetParam(), {{"A/0.jpg", "fine"}, {name, "hostile"}});
    EXPECT_THAT(why<DataError>([&] { open({here / "archive"}, GetParam()); }),
                testing::AllOf(HasSubstr(fault), HasSubstr("archive: ")))
        << name;
  }
}

TEST_P(EveryKind, NamesInAnyLanguageSurvive) {
  TemporaryFolder here;
  write_archive(here / "archive", GetParam(), {{"Zo\xc3\xab/\xe9\x9d\xa2.jpg", "face"}});
  EXPECT_EQ(open({here / "archive"}, GetParam())->name(0), "Zo\xc3\xab/\xe9\x9d\xa2.jpg");
}

TEST_P(EveryKind, StorageThatFailsIsNoDamagedArchive) {
  TemporaryFolder here;
  const Path path = here / (std::string("faces.") + GetParam());
  std::string noise(1300000, ' ');  // more than is read ahead
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>(mix(i));
  write_archive(path, GetParam(), {{"A/1.jpg", noise}, {"A/2.jpg", "fine"}});
  const auto kind = std::string(GetParam()).starts_with("tar") ? ArchiveKind::Tar : ArchiveKind::Zip;
  ReadPolicy policy{.first_pause = std::chrono::milliseconds(1),
                    .longest_pause = std::chrono::milliseconds(1)};
  const auto read_all = [&](InputFiles& inputs) {
    std::map<std::string, std::string> found;
    const auto reader = open_archive(path, kind, inputs, policy);
    std::vector<std::byte> bytes;
    for (Member member; reader->next(member);) {
      EXPECT_EQ(reader->read(bytes), "");
      found[member.path] = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return found;
  };
  for (int good = 0; good < 3; ++good) {  // reads before the first that fails
    test::FaultyInputs inputs;
    const auto fail_after = [&](int times) {
      auto reads = std::make_shared<int>(0);
      inputs.set(path, [=](std::uint64_t, std::span<std::byte>, bool) {
        if (++*reads > good && *reads <= good + times) throw FileError("reading: failed by the test", ESTALE);
      });
    };
    fail_after(2);
    policy.give_up_after = std::chrono::seconds(30);
    const auto found = read_all(inputs);
    EXPECT_EQ(found.at("A/1.jpg"), noise) << good;
    EXPECT_EQ(found.at("A/2.jpg"), "fine") << good;
    fail_after(test::kAlways);
    policy.give_up_after = std::chrono::milliseconds(20);
    if (inputs.reads <= good) continue;
    try {
      read_all(inputs);
      FAIL() << "an archive was read on storage that fails after " << good << " reads";
    } catch (const FileError& error) {
      EXPECT_EQ(error.code(), ESTALE);
    }
  }
}

TEST(ArchiveSource, DoesNotWaitForAPipe) {
  TemporaryFolder here;
  ASSERT_EQ(::mkfifo((here / "pipe.tar").c_str(), 0600), 0);
  for (const auto kind : {ArchiveKind::Tar, ArchiveKind::Zip})
    EXPECT_THROW(open_archive(here / "pipe.tar", kind), FileError);
}

TEST_P(EveryKind, HiddenFoldersAreLeftOut) {
  TemporaryFolder here;
  write_archive(here / "archive", GetParam(),
                {{"A/1.jpg", "face"}, {".ipynb_checkpoints/1.jpg", "copy"}, {"A/.git/2.jpg", "copy"}});
  EXPECT_THAT(streamed(*open({here / "archive"}, GetParam())),
              testing::ElementsAre(testing::Pair("A/1.jpg", "face")));
}

TEST(ArchiveSource, SaysWhatIsMissing) {
  TemporaryFolder here;
  std::filesystem::create_directories(here / "empty");
  write_archive(here / "texts", "zip", {{"A/1.txt", "text"}});
  EXPECT_THAT(why<ConfigError>([&] { zip_source({}, false); }), HasSubstr("none was given"));
  EXPECT_THAT(why<ConfigError>([&] { zip_source({here / "missing"}, false); }), HasSubstr("does not exist"));
  EXPECT_THAT(why<ConfigError>([&] { zip_source({here / "empty"}, false); }), HasSubstr("holds none"));
  EXPECT_THAT(why<ConfigError>([&] { zip_source({here / "texts"}, false); }), HasSubstr("no images in"));
  EXPECT_THAT(why<DataError>([&] { tar_source({here / "texts"}, false); }), HasSubstr("texts"));
  test_images::put(here / "noise", bytes_of(std::string(5000, 'n')));
  EXPECT_THAT(why<DataError>([&] { zip_source({here / "noise"}, false); }), HasSubstr("noise"));
  EXPECT_THAT(why<DataError>([&] { tar_source({here / "noise"}, false); }), HasSubstr("noise"));
}

}  // namespace
}  // namespace facemae
