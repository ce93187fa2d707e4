#include "data/store/shard_reader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "core/files/array.h"
#include "data/store/shard_file.h"
#include "data/store/store.h"
#include "data/upkeep/store_verify.h"
#include "tests/sanitizers.h"
#include "tests/unit/data/image/faulty_inputs.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using namespace std::chrono_literals;
using test::failing;
using test::flipped;
using test::kAlways;

const ReadPolicy kHasty{
    .first_pause = 1ms, .longest_pause = 2ms, .give_up_after = 200ms, .slow_after = 10000ms};

const ReadPolicy kPatient{
    .first_pause = 1ms, .longest_pause = 2ms, .give_up_after = 60s, .slow_after = 10000ms};

/// A store of two shards of 16 images, and a copy of its first shard.
class ReadingAShard : public testing::Test {
 protected:
  ReadingAShard() {
    const auto plain = testing_stores::make_store(here_ / "store", {16, 16});
    shard_ = plain->shards()[0];
    file_ = here_ / "store" / shard_.file;
    std::filesystem::copy_file(file_, copy_);
    for (std::uint64_t row = 0; row < plain->size(); ++row) plain->read(row, images_.emplace_back());
    store_ = Store::open(here_ / "store", inputs_, kHasty);
  }
  std::vector<std::byte> fetch(std::uint64_t row) {
    std::vector<std::byte> encoded;
    store_->fetch(row, encoded, figures_);
    return encoded;
  }
  std::string why_bad(std::uint64_t row) {
    try {
      fetch(row);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  test::TemporaryFolder here_;
  ShardInfo shard_;
  Path file_, copy_ = here_ / "replica.h5";
  std::vector<std::vector<std::byte>> images_;
  test::FaultyInputs inputs_;
  std::shared_ptr<const Store> store_;
  ReadFigures figures_;
};

TEST_F(ReadingAShard, ABadPageOfTheCacheIsReadAroundOnce) {
  inputs_.set(file_, flipped(shard_.blob_offset + 7, /*only_stale=*/true));
  EXPECT_EQ(fetch(0), images_[0]);
  EXPECT_EQ(figures_.rereads, 1u);
  EXPECT_EQ(inputs_.reads, 2);
}

TEST_F(ReadingAShard, ADamagedImageComesFromTheReplica) {
  inputs_.set(file_, flipped(shard_.blob_offset + 7));
  const std::string why = why_bad(0);
  EXPECT_NE(why.find("image 0 of shard 0 (row 0, " + file_.string()), std::string::npos) << why;
  EXPECT_EQ(fetch(1), images_[1]);
  store_->add_replica(0, copy_);
  EXPECT_EQ(fetch(0), images_[0]);
  EXPECT_EQ(figures_.rereads, 1u) << "the replica is preferred, so only the first fetch was a reread";
}

TEST_F(ReadingAShard, ADamagedReplicaIsMadeUpForByTheOriginal) {
  store_->add_replica(0, copy_);
  inputs_.set(copy_, flipped(shard_.blob_offset + 7));
  EXPECT_EQ(fetch(0), images_[0]);
  EXPECT_EQ(figures_.rereads, 1u);
}

TEST_F(ReadingAShard, AReplicaThatCannotBeReadIsLeftForTheOriginal) {
  store_->add_replica(0, copy_);
  inputs_.set(copy_, failing(EIO, kAlways));
  const int before = inputs_.reads;
  for (std::uint64_t row = 0; row < 5; ++row) EXPECT_EQ(fetch(row), images_[row]);
  EXPECT_EQ(inputs_.reads, before + 6) << "it was tried once";
  EXPECT_EQ(figures_.retries, 0u);
}

TEST_F(ReadingAShard, PassingErrorsAreTriedAgainWithANewDescriptor) {
  store_ = Store::open(here_ / "store", inputs_, kPatient);
  for (const int code : {EIO, ESTALE, ENOENT}) {
    const int before = inputs_.opened;
    figures_ = {};
    inputs_.set(file_, failing(code, 3));
    EXPECT_EQ(fetch(2), images_[2]) << code;
    EXPECT_EQ(figures_.retries, 3u);
    EXPECT_EQ(inputs_.opened, before + 3);
  }
}

TEST_F(ReadingAShard, AFileThatCannotBeOpenedForAWhileComesBack) {
  store_ = Store::open(here_ / "store", inputs_, kPatient);
  std::atomic<bool> gone = false;
  inputs_.set(file_, [&](std::uint64_t, std::span<std::byte>, bool) {
    inputs_.refuse_to_open(file_, ENOENT);
    gone = true;
    throw FileError("stale", ESTALE);
  });
  std::thread storage([&] {
    while (!gone) std::this_thread::yield();
    inputs_.heal(file_);
  });
  EXPECT_EQ(fetch(2), images_[2]);
  storage.join();
  EXPECT_GE(figures_.retries, 1u);
}

TEST_F(ReadingAShard, LastingErrorsNameTheShardAndAreNotTriedForEver) {
  for (const int code : {EIO, ENOENT}) {
    inputs_.set(file_, failing(code, kAlways));
    try {
      fetch(3);
      ADD_FAILURE() << "the error was not noticed";
    } catch (const ShardUnreadable& error) {
      EXPECT_EQ(error.shard(), 0u);
      EXPECT_EQ(error.code(), code);
    }
    const auto tried = figures_.retries;
    EXPECT_GE(tried, 1u);
    EXPECT_THROW(fetch(4), ShardUnreadable);
    EXPECT_EQ(figures_.retries, tried) << "a shard given up is not tried again";
    EXPECT_EQ(fetch(16), images_[16]) << "the other shard is well";
    store_->add_replica(0, copy_);
    EXPECT_EQ(fetch(3), images_[3]) << "a new copy brings it back";
    inputs_.heal(file_);
    store_ = Store::open(here_ / "store", inputs_, kHasty);
  }
}

TEST_F(ReadingAShard, ATruncatedFileIsAShortReadOfTheImagesItLost) {
  const auto last = images_[15];
  std::filesystem::resize_file(file_, shard_.blob_offset + shard_.bytes - last.size() / 2);
  EXPECT_EQ(fetch(14), images_[14]);
  try {
    fetch(15);
    ADD_FAILURE() << "the truncation was not noticed";
  } catch (const ShardUnreadable& error) {
    EXPECT_NE(std::string(error.what()).find("short read"), std::string::npos) << error.what();
  }
}

TEST_F(ReadingAShard, AnUnlinkedFileIsReadOnThroughItsDescriptor) {
  std::filesystem::remove(file_);
  EXPECT_EQ(fetch(5), images_[5]);
}

TEST_F(ReadingAShard, SlowReadsAreCountedAndNoError) {
  ReadPolicy policy = kHasty;
  policy.slow_after = 0ms;
  store_ = Store::open(here_ / "store", inputs_, policy);
  EXPECT_EQ(fetch(1), images_[1]);
  EXPECT_EQ(figures_.slow, 1u);
  EXPECT_GT(figures_.read_seconds, 0);
}

TEST_F(ReadingAShard, BlocksHoldTheImagesOfConsecutiveRowsAcrossShards) {
  RowBlock block;
  const int before = inputs_.reads;
  ASSERT_TRUE(store_->read_block(10, 12, block, figures_));
  EXPECT_EQ(inputs_.reads, before + 2) << "one read a shard";
  for (std::uint64_t row = 10; row < 22; ++row) {
    const Bytes image = block.image(row);
    EXPECT_TRUE(std::equal(image.begin(), image.end(), images_[row].begin(), images_[row].end())) << row;
    EXPECT_TRUE(store_->intact(row, image));
  }
  EXPECT_FALSE(store_->intact(11, block.image(10)));
  EXPECT_EQ(store_->shard_of(15), 0u);
  EXPECT_EQ(store_->shard_of(16), 1u);
}

TEST_F(ReadingAShard, ReplicasArriveWhileOthersRead) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (std::uint64_t t = 0; t < 3; ++t)
    readers.emplace_back([&, t] {
      std::vector<std::byte> encoded;
      for (std::uint64_t row = t; !stop; row = (row + 1) % 16) {
        store_->read(row, encoded);
        ASSERT_EQ(encoded, images_[row]);
      }
    });
  for (int i = 0; i < 50; ++i) store_->add_replica(0, copy_);
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_THROW(store_->add_replica(0, here_ / "nowhere"), FileError);
}

TEST_F(ReadingAShard, AReplicaMayArriveWhileAGoodCopyIsLookedFor) {
  int arrived = 0;
  const auto bad = flipped(shard_.blob_offset + 7);
  inputs_.set(copy_, [&](std::uint64_t offset, std::span<std::byte> bytes, bool stale) {
    if (!stale) {  // the second look at this copy: the list of copies is being gone through
      store_->add_replica(0, copy_);
      ++arrived;
    }
    bad(offset, bytes, stale);
  });
  store_->add_replica(0, copy_);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(fetch(0), images_[0]);
  EXPECT_GE(arrived, 10);
}

/// Memory that is this process's alone: what lies in files is shared through the page cache.
std::uint64_t private_kib() {
  std::ifstream maps("/proc/self/smaps_rollup");
  std::uint64_t sum = 0;
  for (std::string line; std::getline(maps, line);)
    if (line.starts_with("Anonymous:")) sum += std::stoull(line.substr(10));
  return sum;
}

/// Right in the page cache, wrong on the disk.
test::FaultyInputs::Fault wrong_on_disk(std::uint64_t at) {
  return [=](std::uint64_t offset, std::span<std::byte> bytes, bool stale) {
    if (!stale && at >= offset && at < offset + bytes.size()) bytes[at - offset] ^= std::byte{0x10};
  };
}

TEST_F(ReadingAShard, AShardIsReadBackFromTheDiskBeforeItHasItsName) {
  ShardContent content{.uuid = "u", .image_size = 16, .ingest_seed = 1, .images = images_};
  content.labels.assign(images_.size(), 0);
  content.source_keys.assign(images_.size(), 1);
  content.flags.assign(images_.size(), 0);
  std::filesystem::create_directory(here_ / "out");
  const Path folder = here_ / "out";  // the name on the way is another each time
  inputs_.set(folder, wrong_on_disk(shard_.blob_offset + 7));
  EXPECT_THROW(write_shard(real_files(), here_ / "out", content, inputs_), FileError);
  EXPECT_TRUE(std::filesystem::is_empty(here_ / "out"));
  inputs_.heal(folder);
  EXPECT_EQ(write_shard(real_files(), here_ / "out", content, inputs_).images, images_.size());
}

TEST_F(ReadingAShard, VerifyReadsTheDiskAndNotThePageCache) {
  inputs_.set(file_, wrong_on_disk(shard_.blob_offset + 7));
  const auto report = verify_store(here_ / "store", 0, 1, false, inputs_);
  ASSERT_EQ(report.images.size(), 1u);
  EXPECT_EQ(report.images[0].row, 0u);
  inputs_.heal(file_);
  EXPECT_TRUE(verify_store(here_ / "store", 0, 1, false, inputs_).good());
}

TEST(OpenStore, KeepsNoMemoryThatGrowsWithItsRows) {
  if (test::kThreadSanitizer || test::kAddressSanitizer)
    GTEST_SKIP() << "sanitizers keep memory of their own";
  test::TemporaryFolder here;
  std::filesystem::create_directories(here / "store");
  // FACEMAE_INDEX_ROWS=20000000 shows it at scale.
  const char* asked = std::getenv("FACEMAE_INDEX_ROWS");
  const std::uint64_t shards = asked != nullptr ? 20 : 4;
  const std::uint64_t rows = asked != nullptr ? std::strtoull(asked, nullptr, 10) / shards * shards : 800'000;
  StoreManifest manifest;
  manifest.uuid = "u";
  manifest.identities = 1000;
  manifest.image_size = 1;
  manifest.ingest_seed = 1;
  std::vector<std::int64_t> labels(rows);
  for (std::uint64_t row = 0; row < rows; ++row) labels[row] = static_cast<std::int64_t>(row % 1000);
  for (int k = 0; k < 1000; ++k) manifest.identity_names.push_back(std::to_string(k));
  for (std::uint64_t s = 0; s < shards; ++s) {
    const std::uint64_t n = rows / shards;
    const std::vector<std::vector<std::byte>> images(n, std::vector<std::byte>(3, std::byte{7}));
    ShardContent content{.uuid = "u", .shard = s, .shards = shards, .image_size = 1, .ingest_seed = 1};
    content.images = images;
    content.labels.assign(labels.begin() + static_cast<std::ptrdiff_t>(s * n),
                          labels.begin() + static_cast<std::ptrdiff_t>((s + 1) * n));
    content.source_keys.assign(n, 5);
    content.flags.assign(n, 0);
    manifest.shards.push_back(write_shard(real_files(), here / "store", content));
  }
  complete_manifest(manifest, labels);
  write_manifest(real_files(), here / "store", manifest);
  manifest = {};
  labels = {};

  Store::open(here / "store");  // once for what HDF5 and the allocator keep
  const std::uint64_t before = private_kib();
  const auto store = Store::open(here / "store");
  std::int64_t sum = 0;
  std::vector<std::byte> encoded;
  for (std::uint64_t row = 0; row < rows; row += 7) sum += store->label(row);
  for (std::uint64_t row = 0; row < rows; row += rows / 500) store->read(row, encoded);
  for (std::int64_t label = 0; label < 1000; ++label)
    sum += static_cast<std::int64_t>(store->rows_of(label)[3]);
  EXPECT_GT(sum, 0);
  const std::uint64_t grown = private_kib() - std::min(before, private_kib());
  std::printf("a store of %llu rows: %llu KiB of private memory\n", static_cast<unsigned long long>(rows),
              static_cast<unsigned long long>(grown));
  constexpr std::uint64_t of_threads = 12 << 20;  // what the allocator keeps of those that checked the shards
  EXPECT_LT(grown * 1024, rows + of_threads) << "a byte a row; an index in memory would be 28";
}

}  // namespace
}  // namespace facemae
