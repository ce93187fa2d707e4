// Every bit of a store counts: random flips over all of its files are caught, each by the name of the file or
// of the image, before an image reaches anybody. FACEMAE_FLIPS says how many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "data/hdf5/seal.h"
#include "data/store/manifest_arrays.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using testing_stores::make_store;
using testing_stores::TemporaryFolder;

int flips() {
  const char* asked = std::getenv("FACEMAE_FLIPS");
  return asked == nullptr ? 250 : std::atoi(asked);
}

/// A file of a store, and which of its bytes are not part of long stretches of zeros.
struct Target {
  Path folder, path;
  std::uint64_t bytes = 0;
  FileRange blob;
  std::vector<std::uint64_t> dense;  ///< offsets of 64-byte blocks that are not all zero
  bool sealed() const { return path.extension() == ".h5"; }
};

std::vector<Target> targets_in(const Path& folder) {
  std::vector<Target> targets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    Target target{
        .folder = folder, .path = entry.path(), .bytes = entry.file_size(), .blob = {}, .dense = {}};
    if (target.sealed()) target.blob = read_seal(InputFile(target.path)).blob;
    const std::string bytes = read_file(target.path);
    for (std::size_t at = 0; at < bytes.size(); at += 64)
      if (bytes.substr(at, 64).find_first_not_of('\0') != std::string::npos) target.dense.push_back(at);
    targets.push_back(std::move(target));
  }
  std::sort(targets.begin(), targets.end(), [](auto& a, auto& b) { return a.path < b.path; });
  return targets;
}

void flip(const Path& path, std::uint64_t byte, int bit) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(byte));
  const char value = static_cast<char>(file.get() ^ (1 << bit));
  file.seekp(static_cast<std::streamoff>(byte));
  file.put(value);
}

/// Opens the store, asks for every name and row list, reads every image. What it throws, "" when nothing.
std::string use(const Path& folder) {
  try {
    const auto store = Store::open(folder);
    for (std::int64_t k = 0; k < store->identities(); ++k) {
      store->identity_name(k);
      store->rows_of(k);
    }
    std::vector<std::byte> image;
    for (std::uint64_t row = 0; row < store->size(); ++row) store->read(row, image);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

/// The image that a byte of the blob belongs to.
std::uint64_t image_at(const ShardIndex& index, std::uint64_t byte) {
  const std::uint64_t at = byte - index.info.blob_offset;
  std::uint64_t image = 0;
  while (index.offsets[image + 1] <= at) ++image;
  return image;
}

TEST(Corruption, EverySingleFlippedBitIsCaughtAndNamed) {
  const TemporaryFolder here;
  const auto store = make_store(here / "store", {6, 5, 7, 4}, 8);
  select_from_store(real_files(), *store, {.identities = {true, false, true, true}}, here / "view");
  auto targets = targets_in(here / "store");
  for (auto& target : targets_in(here / "view")) targets.push_back(std::move(target));
  ASSERT_EQ(targets.size(), 10u);  // three shards, the manifests, their readable copies and long arrays
  std::map<std::string, ShardIndex> indexes;
  for (const auto& shard : store->shards()) indexes[shard.file] = read_shard(here / "store" / shard.file);

  Draws draws(20);
  int in_images = 0, elsewhere = 0;
  for (int i = 0; i < flips(); ++i) {
    const Target& target = targets[draws.next() % targets.size()];
    // Half of the flips where something is written, half anywhere.
    const std::uint64_t byte =
        draws.next() % 2 == 0
            ? std::min(target.bytes - 1, target.dense[draws.next() % target.dense.size()] + draws.next() % 64)
            : draws.next() % target.bytes;
    const int bit = static_cast<int>(draws.next() % 8);
    const std::string name = target.path.filename().string();
    SCOPED_TRACE(fmt::format("flip {}: bit {} of byte {} of {}", i, bit, byte, target.path.string()));
    flip(target.path, byte, bit);
    const std::string fault = use(target.folder);
    const auto report = verify_store(target.folder);
    flip(target.path, byte, bit);

    const bool image = byte >= target.blob.offset && byte < target.blob.offset + target.blob.bytes;
    ++(image ? in_images : elsewhere);
    if (image) {
      const std::uint64_t index = image_at(indexes.at(name), byte);
      const auto shard = static_cast<std::uint64_t>(name[10] - '0');
      const std::string named = fmt::format("image {} of shard {} (row {}", index, shard, 8 * shard + index);
      ASSERT_NE(fault.find(named), std::string::npos) << fault;
      ASSERT_NE(fault.find(name), std::string::npos) << fault;
      ASSERT_TRUE(report.files.empty());
      ASSERT_EQ(report.images.size(), 1u);
      ASSERT_EQ(report.images[0].shard, name);
      ASSERT_EQ(report.images[0].index, index);
      ASSERT_EQ(report.images[0].row, 8 * shard + index);
    } else {
      // By the seal, before anything else. What nobody reads is for `store verify` to find.
      ASSERT_EQ(fault.find(name) != std::string::npos, target.sealed()) << fault;
      ASSERT_EQ(fault.find("seal") != std::string::npos, target.sealed()) << fault;
      ASSERT_TRUE(report.images.empty());
      ASSERT_FALSE(report.files.empty());
      ASSERT_EQ(report.files[0].folder, target.folder);
      ASSERT_EQ(report.files[0].file, name);
    }
  }
  EXPECT_GT(in_images, flips() / 100);
  EXPECT_GT(elsewhere, flips() / 2);
  EXPECT_EQ(use(here / "store"), "");
  EXPECT_EQ(use(here / "view"), "");
}

}  // namespace
}  // namespace facemae
