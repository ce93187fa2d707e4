#include "data/pack/pack_catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "core/error.h"
#include "core/kinds.h"
#include "core/log.h"
#include "data/pack/journal.h"
#include "data/pack/pack.h"
#include "tests/unit/data/archives/test_archives.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test_images::contents;
using test_images::DyingFiles;
using test_images::picture;
using test_images::put;
using test_images::put_faces;
using test_images::quiet;
using test_images::TemporaryFolder;

const SourceKind& kind(const std::string& name) { return row_of(source_kinds(), name, "testing"); }

/// A start of the first rank: lists, unless an earlier start has.
std::unique_ptr<ImageSource> start(const Path& out, const std::string& name, const SourcePlaces& places,
                                   FileSystem& files = real_files()) {
  Journal(files, out).prepare();
  list_for_pack(files, out, kind(name), places);
  return open_for_pack(out, kind(name), places);
}
SourcePlaces in(const std::vector<Path>& paths) { return {.in = paths, .show_progress = false}; }

/// Notices whether a catalogue is the file that it was before.
ino_t inode_of(const Path& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

TEST(PackCatalogue, ALaterStartDoesNotListAgain) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 4);
  const auto first = start(here / "out", "folder", in({here / "faces"}));
  EXPECT_EQ(first->size(), 12u);
  put(here / "faces/id-0/new.jpg", encode_jpeg(picture(1)));  // below a root, whose time says nothing of it
  const auto again = start(here / "out", "folder", in({here / "faces"}));
  EXPECT_EQ(again->size(), 12u);
  EXPECT_EQ(again->digest(), first->digest());
  EXPECT_EQ(folder_source({here / "faces"})->size(), 13u);
}

TEST(PackCatalogue, WhatHasChangedIsListedAgain) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 4);
  put_faces(here / "more", 1, 1);
  fs::rename(here / "more/id-0", here / "more/another");
  test_archives::write_archive(here / "faces.tar", "tar", {{"A/1.jpg", "a"}});
  put(here / "list", bytes_of(std::string("id-0/image-0.jpg 1\n")));
  const auto size_of = [&](const std::string& name, const SourcePlaces& places) {
    const Path out = here / ("out-" + name);
    const ino_t before = inode_of(catalogue_of(out));
    const std::uint64_t size = start(out, name, places)->size();
    EXPECT_NE(inode_of(catalogue_of(out)), before) << name << ": it was not listed";
    const ino_t now = inode_of(catalogue_of(out));
    EXPECT_EQ(start(out, name, places)->size(), size);
    EXPECT_EQ(inode_of(catalogue_of(out)), now) << name << ": it was listed twice";
    return size;
  };
  EXPECT_EQ(size_of("folder", in({here / "faces"})), 12u);
  put_faces(here / "faces", 4, 4);
  EXPECT_EQ(size_of("folder", in({here / "faces"})), 16u);
  EXPECT_EQ(size_of("folder", in({here / "faces", here / "more"})), 17u);
  EXPECT_EQ(size_of("folder", in({here / "more"})), 1u);
  EXPECT_EQ(size_of("tar", in({here / "faces.tar"})), 1u);
  test_archives::write_archive(here / "faces.tar", "tar", {{"A/1.jpg", "a"}, {"A/2.jpg", "b"}});
  EXPECT_EQ(size_of("tar", in({here / "faces.tar"})), 2u);
  EXPECT_EQ(size_of("list", in({here / "list"})), 1u);
  put(here / "list", bytes_of(std::string("id-0/image-0.jpg 1\nid-0/image-1.jpg 1\n")));
  EXPECT_EQ(size_of("list", in({here / "list"})), 2u);
  EXPECT_EQ(size_of("list", {.in = {here / "list"}, .root = here / "faces", .show_progress = false}), 2u);
}

TEST(PackCatalogue, APipeIsReadByEachStart) {
  TemporaryFolder here;
  ASSERT_EQ(::mkfifo((here / "pipe").c_str(), 0600), 0);
  for (const int images : {1, 3}) {
    std::jthread writer([&] {
      std::ofstream pipe(here / "pipe");
      for (int i = 0; i < images; ++i) pipe << "image-" << i << ".jpg 1\n";
    });
    EXPECT_EQ(start(here / "out", "list", in({here / "pipe"}))->size(), static_cast<std::uint64_t>(images));
  }
}

TEST(PackCatalogue, ADamagedOneIsMadeAgain) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 4);
  start(here / "out", "folder", in({here / "faces"}));
  const std::string whole = read_file(catalogue_of(here / "out"));
  for (const std::size_t byte : {std::size_t{20}, whole.size() - 20}) {
    test_images::flip_bit(catalogue_of(here / "out"), byte);
    EXPECT_EQ(start(here / "out", "folder", in({here / "faces"}))->size(), 12u);
    EXPECT_EQ(read_file(catalogue_of(here / "out")), whole);
  }
}

TEST(PackCatalogue, KilledAtAnyMomentOfListingItIsListedAgain) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 4);
  start(here / "whole", "folder", in({here / "faces"}));
  const auto expected = contents(here / "whole/packing");
  for (int fatal = 1;; ++fatal) {
    DyingFiles dying(fatal);
    try {
      start(here / "out", "folder", in({here / "faces"}), dying);
    } catch (const FileError&) {
    }
    if (!dying.died()) {
      EXPECT_GT(fatal, 5) << "too few operations to prove anything";
      break;
    }
    EXPECT_EQ(start(here / "out", "folder", in({here / "faces"}))->size(), 12u) << fatal;
    EXPECT_EQ(contents(here / "out/packing"), expected) << fatal;
    fs::remove_all(here / "out");
  }
}

TEST(PackCatalogue, ImagesRemovedAfterwardsAreRejectsAndTheStoreIsTheSameOtherwise) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 4);
  const auto source = start(here / "store", "folder", in({here / "faces"}));
  auto config = quiet(here / "store");
  config.max_reject_fraction = 0.1;
  Packing(*source, config, real_files()).phases().front()();  // begun, with all images in its sample
  fs::remove(here / "faces/id-1/image-2.jpg");
  const auto result = pack(*start(config.out, "folder", in({here / "faces"})), config, real_files());
  EXPECT_EQ(result.images, 11u);
  EXPECT_THAT(read_file(config.out / "rejects.csv"), testing::HasSubstr("id-1/image-2.jpg"));
  EXPECT_FALSE(fs::exists(config.out / "packing")) << "the catalogue goes with the rest";
}

TEST(PackCatalogue, ShardsThatAreNotAPacksAreNotTouched) {
  TemporaryFolder here;
  put(here / "out/shard-00000.h5", bytes_of("somebody's"));
  EXPECT_THROW(Journal(real_files(), here / "out").prepare(), ConfigError);
  EXPECT_FALSE(fs::exists(here / "out/packing"));
}

}  // namespace
}  // namespace facemae
