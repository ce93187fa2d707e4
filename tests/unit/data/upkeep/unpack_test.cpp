#include "data/upkeep/unpack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "core/error.h"
#include "data/formats/recordio.h"
#include "data/pack/pack.h"
#include "data/source/source.h"
#include "data/upkeep/unpack_names.h"
#include "data/upkeep/unpack_tars.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/why.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test::why;
using test_images::DyingFiles;
using test_images::quiet;
using test_images::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Every image's bytes with its identity's name.
using Content = std::multimap<std::string, std::string>;
Content content_of(const Store& store) {
  Content content;
  std::vector<std::byte> image;
  for (std::uint64_t row = 0; row < store.size(); ++row) {
    store.read(row, image);
    content.emplace(store.identity_name(store.label(row)), text_of(image));
  }
  return content;
}
Content content_of(const ImageSource& source) {
  Content content;
  const auto add = [&](std::uint64_t entry, Bytes bytes) {
    content.emplace(source.identity_names()[static_cast<std::size_t>(source.label(entry))], text_of(bytes));
  };
  if (source.archives() == 0)
    for (std::uint64_t entry = 0; entry < source.size(); ++entry) add(entry, source.read(entry));
  for (std::size_t archive = 0; archive < source.archives(); ++archive)
    source.stream(archive, [&](ImageSource::Streamed image) { add(image.entry, image.bytes); });
  return content;
}
std::shared_ptr<const Store> packed(const ImageSource& source, const Path& out) {
  pack(source, quiet(out), real_files());
  return Store::open(out);
}
std::shared_ptr<const Store> faces(const TemporaryFolder& here, int identities = 12, int images = 3) {
  test_images::put_faces(here / "faces", identities, images);
  test_images::put(here / "faces/id-1/extra.png", encode_png(test_images::picture(77)));
  return packed(*folder_source({here / "faces"}), here / "store");
}

TEST(Unpack, FolderHoldsEveryImageByteForByte) {
  TemporaryFolder here;
  const auto store = faces(here);
  const auto result = unpack(*store, UnpackTo::Folder, here / "out", real_files(), false);
  EXPECT_EQ(result.images, 37u);
  EXPECT_EQ(result.identities, 12);
  EXPECT_EQ(content_of(*folder_source({here / "out"})), content_of(*store));
  EXPECT_TRUE(fs::exists(here / "out/id-10/0.jpg"));
  EXPECT_EQ(std::distance(fs::directory_iterator(here / "out/id-1"), fs::directory_iterator()), 4);
  EXPECT_EQ(std::distance(fs::directory_iterator(here.path()), fs::directory_iterator()), 3)
      << "faces, store and out: nothing else is left";
}

TEST(Unpack, TarIsReadBackAsASourceAndAsWebDatasetNamesIt) {
  TemporaryFolder here;
  const auto store = faces(here);
  unpack(*store, UnpackTo::Tar, here / "out.tar", real_files(), false);
  const auto source = tar_source({here / "out.tar"}, false);
  EXPECT_EQ(content_of(*source), content_of(*store));
  // Headers: samples in the store's order, the image before its label, equal up to the ending.
  const std::string tar = read_file(here / "out.tar");
  const std::string first = store->identity_name(store->label(0)) + "/00";
  EXPECT_TRUE(tar.starts_with(first + ".jpg")) << tar.substr(0, 40);
  EXPECT_NE(tar.find(first + ".cls"), tar.npos);
  unpack(*store, UnpackTo::Tar, here / "again.tar", real_files(), false);
  EXPECT_EQ(read_file(here / "again.tar"), tar);
}

TEST(Unpack, TarKeepsLongNamesAndThoseOfAnyLanguage) {
  TemporaryFolder here;
  const std::string names[] = {std::string(200, 'n'), "Zo\xc3\xab \xe9\x9d\xa2", "\xff\xfe no UTF-8"};
  for (const std::string& name : names)
    test_images::put(here / "faces" / name / "1.jpg", encode_jpeg(test_images::picture(name.size())));
  const auto store = packed(*folder_source({here / "faces"}), here / "store");
  unpack(*store, UnpackTo::Tar, here / "out.tar", real_files(), false);
  EXPECT_EQ(content_of(*tar_source({here / "out.tar"}, false)), content_of(*store));
}

/// Every shard of a pattern with its bytes.
std::map<std::string, std::string> files_in(const Path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& file : fs::directory_iterator(folder))
    files[file.path().filename().string()] = read_plain_file(file.path());
  return files;
}
std::map<std::string, std::string> shards_by(const Store& store, const Path& folder, int ranks) {
  const Path out = folder / "faces-{007..011}.tar";
  begin_shards(store, out, real_files());
  for (int rank = 0; rank < ranks; ++rank) write_shards(store, out, real_files(), rank, ranks, false);
  finish_shards(out, real_files());
  return files_in(folder);
}

TEST(UnpackShards, AreTheSameForAnyNumberOfRanksAndReadAsOneSet) {
  TemporaryFolder here;
  const auto store = faces(here);
  const auto one = shards_by(*store, here / "one", 1);
  EXPECT_EQ(one.size(), 5u);
  EXPECT_TRUE(one.contains("faces-007.tar") && one.contains("faces-011.tar"));
  EXPECT_EQ(shards_by(*store, here / "three", 3), one);
  EXPECT_EQ(shards_by(*store, here / "seven", 7), one);
  EXPECT_EQ(content_of(*tar_source({here / "one"}, false)), content_of(*store));
}

TEST(UnpackShards, KilledAtAnyMomentTheNextStartKeepsWhatIsDone) {
  TemporaryFolder here;
  const auto store = testing_stores::make_store(here / "store", {4, 3, 5});
  const auto whole = shards_by(*store, here / "whole", 1);
  const Path out = here / "cut/faces-{007..011}.tar";
  std::uint64_t kept = 0;
  for (int fatal = 1;; ++fatal) {
    fs::create_directories(here / "cut");
    ASSERT_LT(fatal, 200);
    DyingFiles files(fatal);
    try {
      begin_shards(*store, out, files);
      write_shards(*store, out, files, 0, 1, false);
      finish_shards(out, files);
    } catch (const FileError&) {
    }
    if (!files.died()) break;
    for (const auto& [name, bytes] : files_in(here / "cut"))
      EXPECT_TRUE(!name.ends_with(".tar") || bytes == whole.at(name)) << name << ", " << fatal;
    if (files_in(here / "cut") != whole) {  // else it died when all was done
      begin_shards(*store, out, real_files());
      kept = std::max(kept, write_shards(*store, out, real_files(), 1, 2, false).kept);
      write_shards(*store, out, real_files(), 0, 2, false);
      finish_shards(out, real_files());
    }
    EXPECT_EQ(files_in(here / "cut"), whole) << fatal;
    fs::remove_all(here / "cut");
  }
  EXPECT_GT(kept, 0u);
}

TEST(UnpackShards, WhatIsNotOfThisStoreIsRefusedAndUntouched) {
  TemporaryFolder here;
  const auto store = testing_stores::make_store(here / "store", {4, 3});
  const auto other = testing_stores::make_store(here / "other", {4, 5});
  const Path out = here / "out/faces-{0..3}.tar";
  const auto refusal = [&](const Store& of) {
    return why<ConfigError>([&] { begin_shards(of, out, real_files()); });
  };
  test_images::put(here / "out/faces-2.tar", bytes_of(std::string("mine")));
  EXPECT_THAT(refusal(*store), testing::AllOf(HasSubstr("faces-2.tar"), HasSubstr("exists")));
  fs::remove(here / "out/faces-2.tar");
  test_images::put(here / "out/faces-{0..3}.tar.unpacking", bytes_of(std::string("mine")));
  EXPECT_THAT(refusal(*store), HasSubstr("no mark of ours"));
  fs::remove(here / "out/faces-{0..3}.tar.unpacking");
  begin_shards(*other, out, real_files());
  EXPECT_THAT(refusal(*store), HasSubstr("another store"));
  EXPECT_THAT(why<ConfigError>([&] { begin_shards(*store, here / "x-{00..10}.tar", real_files()); }),
              HasSubstr("more than the 7 images"));
}

TEST(Unpack, RecGivesAStoreWithTheSameLabelsAndBytes) {
  TemporaryFolder here;
  const auto store = faces(here);
  unpack(*store, UnpackTo::Rec, here / "out", real_files(), false);
  EXPECT_EQ(read_file(here / "out/property"), "12,32,32\n");
  const auto again = packed(*rec_source(here / "out", false), here / "again");
  ASSERT_EQ(again->identities(), store->identities());
  ASSERT_EQ(again->size(), store->size());
  for (std::int64_t label = 0; label < 12; ++label) {
    std::multiset<std::string> expected, found;
    std::vector<std::byte> image;
    for (const std::uint64_t row : store->rows_of(label))
      store->read(row, image), expected.insert(text_of(image));
    for (const std::uint64_t row : again->rows_of(label))
      again->read(row, image), found.insert(text_of(image));
    EXPECT_EQ(found, expected) << label;
  }
}

TEST(Unpack, RecIsLaidOutAsInsightFaceExpects) {
  TemporaryFolder here;
  const auto store = testing_stores::make_store(here / "store", {2, 0, 1});
  unpack(*store, UnpackTo::Rec, here / "out", real_files(), false);
  const std::string rec = read_file(here / "out/train.rec");
  const auto places = parse_record_index(read_file(here / "out/train.idx"), rec.size());
  std::vector<std::vector<float>> labels;
  std::vector<bool> images;
  std::uint64_t end = 0;
  for (std::size_t key = 0; key < places.size(); ++key) {
    EXPECT_EQ(places[key].key, key);
    EXPECT_EQ(places[key].offset, end);
    const Record record = parse_record(bytes_of(rec).subspan(places[key].offset));
    end += record.bytes;
    const ImageRecord parsed = parse_image_record(record.payload);
    EXPECT_EQ(parsed.id, key);
    labels.push_back(parsed.labels.empty() ? std::vector<float>{parsed.label} : parsed.labels);
    images.push_back(!parsed.image.empty());
  }
  EXPECT_EQ(end, rec.size());
  EXPECT_THAT(images, ElementsAre(false, true, true, true, false, false, false));
  EXPECT_THAT(labels, ElementsAre(ElementsAre(4, 7), ElementsAre(0), ElementsAre(0), ElementsAre(2),
                                  ElementsAre(1, 3), ElementsAre(3, 3), ElementsAre(3, 4)));
  EXPECT_EQ(read_file(here / "out/train.lst"),
            "1\tplanted-name-0/0.jpg\t0\n1\tplanted-name-0/1.jpg\t0\n1\tplanted-name-2/0.jpg\t2\n");
}

TEST(Unpack, NumbersTooLargeForFloatsChooseThePlainDialect) {
  EXPECT_EQ(choose_dialect(kExactFloat - 21, 20), RecDialect::InsightFace);
  EXPECT_EQ(choose_dialect(kExactFloat - 20, 20), RecDialect::Plain);
  EXPECT_EQ(choose_dialect(42474557, 2059906), RecDialect::Plain);
  EXPECT_THROW(choose_dialect(1, kExactFloat + 1), ConfigError);
}

TEST(Unpack, AnExistingTargetIsRefusedAndUntouched) {
  TemporaryFolder here;
  const auto store = testing_stores::make_store(here / "store", {1});
  for (const auto format : {UnpackTo::Folder, UnpackTo::Rec, UnpackTo::Tar}) {
    test_images::put(here / "out", bytes_of(std::string("mine")));
    EXPECT_THAT(why<ConfigError>([&] { unpack(*store, format, here / "out", real_files(), false); }),
                HasSubstr("exists"));
    EXPECT_EQ(read_file(here / "out"), "mine");
    fs::create_symlink(here / "nowhere", here / "link");
    EXPECT_THAT(why<ConfigError>([&] { unpack(*store, format, here / "link", real_files(), false); }),
                HasSubstr("exists"));
    fs::remove(here / "link");
  }
}

TEST(Unpack, AFolderThatItDidNotMakeIsLeftAlone) {
  TemporaryFolder here;
  const auto store = testing_stores::make_store(here / "store", {1});
  test_images::put(here / "out.unpacking/mine", bytes_of(std::string("mine")));
  test_images::put(here / "out.tmp", bytes_of(std::string("mine, too")));
  unpack(*store, UnpackTo::Folder, here / "out", real_files(), false);
  EXPECT_EQ(read_file(here / "out.unpacking/mine"), "mine");
  EXPECT_EQ(read_file(here / "out.tmp"), "mine, too");
}

TEST(Unpack, KilledAtAnyMomentNothingHalfMadeHasTheFinalName) {
  for (const auto format : {UnpackTo::Folder, UnpackTo::Rec, UnpackTo::Tar}) {
    TemporaryFolder here;
    const auto store = testing_stores::make_store(here / "store", {2, 1});
    bool finished = false;
    int fatal = 1;
    for (; !finished; ++fatal) {
      ASSERT_LT(fatal, 200);
      DyingFiles files(fatal);
      bool threw = false;
      try {
        unpack(*store, format, here / "out", files, false);
      } catch (const FileError&) {
        threw = true;
      }
      finished = !files.died();
      EXPECT_EQ(threw, !finished);
      EXPECT_EQ(std::distance(fs::directory_iterator(here.path()), {}), fs::exists(here / "out") ? 2 : 1)
          << "what was begun is left";
      if (!fs::exists(here / "out")) continue;
      // The name is there: then so is everything.
      const auto source = format == UnpackTo::Folder ? folder_source({here / "out"})
                          : format == UnpackTo::Rec  ? rec_source(here / "out", false)
                                                     : tar_source({here / "out"}, false);
      EXPECT_EQ(content_of(*source).size(), 3u);
      fs::remove_all(here / "out");
    }
    EXPECT_GT(fatal, 5);
  }
}

TEST(Unpack, NamesOfAStoreCannotLeaveTheTarget) {
  for (const char* name : {"..", ".", "a/b", "/abs"}) {
    TemporaryFolder here;
    testing_stores::make_store(here / "store", {1, 1});
    StoreManifest manifest = read_manifest(here / "store");
    manifest.identity_names = {"first", name};
    complete_manifest(manifest, std::vector<std::int64_t>{0, 1});
    write_manifest(real_files(), here / "store", manifest);
    const auto store = Store::open(here / "store");
    for (const auto format : {UnpackTo::Folder, UnpackTo::Rec, UnpackTo::Tar})
      EXPECT_THAT(why<DataError>([&] { unpack(*store, format, here / "out", real_files(), false); }),
                  HasSubstr("cannot be the name of a folder"))
          << name;
    EXPECT_FALSE(fs::exists(here / "out"));
  }
}

}  // namespace
}  // namespace facemae
