#include "data/store/store.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "core/error.h"
#include "data/store/manifest.h"
#include "data/store/shard_file.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test_images::picture;
using test_images::put_faces;
using test_images::quiet;
using test_images::TemporaryFolder;

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    put_faces(here_ / "faces", 4, 6);
    pack(*folder_source({here_ / "faces"}), quiet(store_), real_files());
  }
  std::string why_not_open(const Path& folder) {
    try {
      Store::open(folder);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  Path only(const std::string& shard) { return store_ / shard; }
  TemporaryFolder here_;
  Path store_ = here_ / "store";
};

TEST_F(StoreTest, GivesEverySourceImageBackUnderItsLabel) {
  const auto store = Store::open(store_);
  ASSERT_EQ(store->size(), 24u);
  EXPECT_EQ(store->identities(), 4);
  EXPECT_EQ(store->image_size(), 32);
  EXPECT_EQ(store->source_licence(), "for tests");
  EXPECT_FALSE(store->released());
  EXPECT_GT(store->shards().size(), 1u);
  std::vector<std::byte> bytes;
  std::multiset<std::pair<std::string, std::string>> found, expected;
  for (std::uint64_t row = 0; row < 24; ++row) {
    store->read(row, bytes);
    found.emplace(store->identity_name(store->label(row)),
                  std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  for (const auto& file : fs::recursive_directory_iterator(here_ / "faces"))
    if (file.is_regular_file())
      expected.emplace(file.path().parent_path().filename().string(), read_file(file.path()));
  EXPECT_EQ(found, expected);
  std::uint64_t grouped = 0;
  for (std::int64_t label = 0; label < 4; ++label)
    for (const auto row : store->rows_of(label)) {
      EXPECT_EQ(store->label(row), label);
      ++grouped;
    }
  EXPECT_EQ(grouped, 24u);
}

TEST_F(StoreTest, FlippedBitInTheBlobIsNamedWhenRead) {
  const auto shard = Store::open(store_)->shards()[1];
  test_images::flip_bit(only(shard.file), shard.blob_offset + 5);
  const auto store = Store::open(store_);
  std::vector<std::byte> bytes;
  try {
    store->read(shard.first_global, bytes);
    FAIL() << "the damage was not seen";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("image 0 of shard 1"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(shard.file), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW(store->read(shard.first_global + 1, bytes));
}

TEST_F(StoreTest, FlippedBitAnywhereElseIsSeenOnOpening) {
  const auto shard = Store::open(store_)->shards()[0];
  const auto index = read_shard(only(shard.file));
  const std::string original = read_file(only(shard.file));
  // Where the CRC array lies: its bytes are known.
  const auto at = original.find(
      std::string(reinterpret_cast<const char*>(index.crcs.bytes().data()), index.crcs.size() * 4));
  ASSERT_NE(at, std::string::npos);
  test_images::flip_bit(only(shard.file), at + 3);
  EXPECT_NE(why_not_open(store_).find(shard.file + " is damaged outside its images"), std::string::npos);
  test_images::flip_bit(only(shard.file), at + 3);
  EXPECT_EQ(why_not_open(store_), "");
  test_images::flip_bit(only(shard.file), 9);  // superblock
  EXPECT_NE(why_not_open(store_).find(shard.file), std::string::npos);
}

TEST_F(StoreTest, DamagedManifestIsSeenOnOpening) {
  test_images::flip_bit(store_ / "manifest.h5", fs::file_size(store_ / "manifest.h5") / 2);
  EXPECT_NE(why_not_open(store_).find("manifest.h5 is damaged"), std::string::npos);
}

TEST_F(StoreTest, DamagedIdentitiesAreSeenWhenTheyAreAskedFor) {
  const auto at = read_file(store_ / "identities.h5").find("id-2");
  ASSERT_NE(at, std::string::npos);
  test_images::flip_bit(store_ / "identities.h5", at + 3);
  const auto store = Store::open(store_);
  std::vector<std::byte> bytes;
  EXPECT_NO_THROW(store->read(0, bytes));
  EXPECT_NO_THROW(store->label(0));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(store->identity_name(0), DataError);
    EXPECT_THROW(store->rows_of(0), DataError);
  }
}

TEST_F(StoreTest, FilesOfAnotherStoreAreRefused) {
  auto other = quiet(here_ / "other");
  other.seed = 8;
  pack(*folder_source({here_ / "faces"}), other, real_files());
  fs::copy_file(here_ / "other/identities.h5", store_ / "identities.h5",
                fs::copy_options::overwrite_existing);
  try {
    Store::open(store_)->identity_name(0);
    FAIL() << "the other store's names were taken";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("belongs to another store"), std::string::npos) << error.what();
  }
}

TEST_F(StoreTest, TruncatedMissingAndForeignShardsAreNamed) {
  const auto shards = Store::open(store_)->shards();
  const Path first = only(shards[0].file), second = only(shards[1].file);
  fs::rename(first, here_ / "aside");
  EXPECT_NE(why_not_open(store_).find("missing: " + shards[0].file), std::string::npos);
  fs::copy_file(second, first);
  EXPECT_NE(why_not_open(store_).find(shards[0].file + " is not the shard"), std::string::npos);
  fs::remove(first);
  fs::rename(here_ / "aside", first);
  EXPECT_EQ(why_not_open(store_), "");
  fs::resize_file(first, fs::file_size(first) - 100);
  EXPECT_NE(why_not_open(store_).find("truncated"), std::string::npos) << why_not_open(store_);
}

TEST_F(StoreTest, OpensWithoutShardsInQuarantineAndRefusesTheirRowsAlone) {
  const auto whole = Store::open(store_);
  const auto lost = whole->shards()[1];
  const ReadPolicy without_it{.lost = {1}};
  EXPECT_EQ(Store::open(store_, real_inputs(), without_it)->label(lost.first_global),
            whole->label(lost.first_global))
      << "it is there after all";
  fs::remove(only(lost.file));
  EXPECT_NE(why_not_open(store_).find("missing: " + lost.file), std::string::npos);
  const auto store = Store::open(store_, real_inputs(), without_it);
  EXPECT_EQ(store->size(), whole->size());
  EXPECT_EQ(store->dataset_digest(), whole->dataset_digest());
  std::vector<std::byte> bytes, expected;
  for (std::uint64_t row = 0; row < store->size(); ++row) {
    if (store->shard_of(row) == 1) {
      EXPECT_THROW(store->read(row, bytes), ShardUnreadable);
    } else {
      store->read(row, bytes);
      whole->read(row, expected);
      EXPECT_EQ(bytes, expected);
      EXPECT_EQ(store->label(row), whole->label(row));
    }
  }
}

TEST_F(StoreTest, UnfinishedStoreSaysWhatToDo) {
  fs::remove(store_ / "manifest.h5");
  EXPECT_NE(why_not_open(store_).find("unfinished"), std::string::npos);
  EXPECT_THROW(Store::open(here_ / "nowhere"), ConfigError);  // not the data are at fault, the path is
  EXPECT_NE(why_not_open(here_ / "faces").find("not a store"), std::string::npos);
}

TEST_F(StoreTest, BlobsAreAlignedAndHdf5ToolsReadThem) {
  const auto shard = Store::open(store_)->shards()[0];
  EXPECT_EQ(shard.blob_offset % (1 << 20), 0u);
  if (std::system("h5dump --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "h5dump is not installed";
  FILE* pipe = ::popen(("h5dump -A " + only(shard.file).string() + " 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string text(1 << 16, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  EXPECT_EQ(::pclose(pipe), 0);
  for (const char* name : {"\"blob\"", "\"offset\"", "\"crc32c\"", "\"label\"", "\"source_key\"", "\"flags\"",
                           "\"complete\"", "facemae-shard", "H5T_STD_U8LE"})
    EXPECT_NE(text.find(name), std::string::npos) << name;
}

TEST_F(StoreTest, ViewSelectsRowsOfItsParentWithLabelsOfItsOwn) {
  const auto parent = Store::open(store_);
  std::vector<std::uint64_t> rows;
  std::vector<std::int64_t> labels;
  for (const std::int64_t label : {1, 3})
    for (const auto row : parent->rows_of(label)) rows.push_back(row), labels.push_back(label / 2);
  write_view(real_files(), here_ / "views/a", *parent, rows, labels, 2,
             {parent->identity_name(1), parent->identity_name(3)});
  const auto view = Store::open(here_ / "views/a");
  ASSERT_EQ(view->size(), 12u);
  EXPECT_EQ(view->identities(), 2);
  EXPECT_EQ(view->identity_name(1), "id-3");
  EXPECT_NE(view->dataset_digest(), parent->dataset_digest());
  std::vector<std::byte> mine, theirs;
  for (std::uint64_t row = 0; row < 12; ++row) {
    view->read(row, mine);
    parent->read(rows[row], theirs);
    EXPECT_EQ(mine, theirs);
    EXPECT_EQ(view->label(row), labels[row]);
  }
  EXPECT_LT(fs::file_size(here_ / "views/a/manifest.h5"), 20000u);
  // Moved together, both still work; a parent packed again is refused.
  fs::create_directories(here_ / "moved");
  fs::rename(store_, here_ / "moved/store");
  fs::rename(here_ / "views", here_ / "moved/views");
  EXPECT_NO_THROW(Store::open(here_ / "moved/views/a"));
  fs::remove_all(here_ / "moved/store");
  auto other = quiet(here_ / "moved/store");
  other.seed = 8;
  pack(*folder_source({here_ / "faces"}), other, real_files());
  EXPECT_NE(why_not_open(here_ / "moved/views/a").find("packed again"), std::string::npos);
}

TEST(ShardFile, OfAReleaseHasNoSourceKeysFlagsOrSeed) {
  TemporaryFolder here;
  fs::create_directories(here / "s");
  const std::vector<std::vector<std::byte>> images{encode_png(picture(1)), encode_jpeg(picture(2))};
  ShardContent content;
  content.uuid = "u";
  content.image_size = 32;
  content.images = images;
  content.labels = {1, -1};
  const auto info = write_shard(real_files(), here / "s", content);
  const auto index = read_shard(here / "s" / info.file);
  EXPECT_FALSE(index.ingest_seed.has_value());
  EXPECT_TRUE(index.source_keys.empty());
  EXPECT_TRUE(index.flags.empty());
  EXPECT_EQ(index.labels, content.labels);
  EXPECT_EQ(index.codec, "mixed");
  EXPECT_EQ(index.info.blob_offset, info.blob_offset);
  const std::string bytes = read_file(here / "s" / info.file);
  for (const char* name : {"source_key", "flags", "ingest_seed"})
    EXPECT_EQ(bytes.find(name), std::string::npos) << name;
  content.source_keys = {1, 2};
  EXPECT_THROW(write_shard(real_files(), here / "s", content), Error);
}

TEST(ShardFile, MayBeEmpty) {
  TemporaryFolder here;
  fs::create_directories(here / "s");
  ShardContent content;
  content.uuid = "u";
  content.image_size = 32;
  const auto info = write_shard(real_files(), here / "s", content);
  EXPECT_EQ(read_shard(here / "s" / info.file).info.images, 0u);
}

}  // namespace
}  // namespace facemae
