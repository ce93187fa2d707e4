// Whatever is changed in the newest checkpoint, the one before is restored, bit for bit.
#include <cstdlib>
#include <map>

#include "checkpoint/format/commit_record.h"
#include "checkpoint/tensors/store.h"
#include "core/random/keys.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;

class CorruptionTest : public testing::Test {
 protected:
  void SetUp() override {
    CheckpointStore store(folder_.path(), control_, files_);
    ASSERT_TRUE(store.save(old_, 1));
    ASSERT_TRUE(store.save(new_, 1));
  }
  Path newest() const { return folder_.path() / "checkpoints/s000000020.a01"; }
  Path oldest() const { return folder_.path() / "checkpoints/s000000010.a01"; }

  /// The step that a fresh process restores; checks that its values are that step's.
  std::uint64_t restored() {
    CheckpointStore store(folder_.path(), control_, files_);
    Snapshot loaded = blank_like(old_);
    const auto info = load_newest(store, loaded, &reasons_);
    if (!info) return 0;
    expect_equal(loaded, info->step == 20 ? new_ : old_);
    return info->step;
  }
  std::uint64_t restored_with(const Path& file, const std::string& bytes) {
    const std::string before = read_file(file);
    overwrite(file, bytes);
    const auto step = restored();
    overwrite(file, before);
    return step;
  }

  /// One byte in place: much faster than a new file for each of many thousand bits.
  static void poke(const Path& file, std::size_t at, char byte) {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(byte);
  }

  TemporaryFolder folder_;
  AloneControl control_;
  QuickFiles files_;
  Quiet quiet_;
  Snapshot old_ = small_state(10, 20, 0, 20), new_ = small_state(20, 20, 0, 20);
  std::vector<std::string> reasons_;
};

TEST_F(CorruptionTest, EveryBitOfCommitAndManifestMatters) {
  ASSERT_EQ(restored(), 20u);
  for (const char* name : {"MANIFEST.pb", "COMMIT"}) {
    const std::string before = read_file(newest() / name);
    // Every bit of the manifest and of the used head and tail of COMMIT; of its zeros every 13th:
    // commit_record_test has all.
    for (std::size_t bit = 0; bit < before.size() * 8; ++bit) {
      if (std::string(name) == "COMMIT" && bit > 48 * 8 && bit < 4092 * 8 && bit % 13 != 0) continue;
      poke(newest() / name, bit / 8, static_cast<char>(before[bit / 8] ^ (1 << bit % 8)));
      CheckpointStore store(folder_.path(), control_, files_);
      ASSERT_EQ(store.newest()->step, 10u) << name << " bit " << bit;
      poke(newest() / name, bit / 8, before[bit / 8]);
    }
  }
  EXPECT_EQ(restored(), 20u);
}

TEST_F(CorruptionTest, RandomFlipsAreFoundAndTheOneBeforeIsRestored) {
  const char* wanted = std::getenv("FACEMAE_FLIPS");
  const int flips = wanted != nullptr ? std::atoi(wanted) : 300;
  const char* names[] = {"r00000.safetensors", "MANIFEST.pb", "COMMIT"};
  std::map<std::string, std::string> before;
  for (const char* name : names) before[name] = read_file(newest() / name);
  Draws draws(key_of(1, Purpose::Samples));
  for (int i = 0; i < flips; ++i) {
    const std::string name = names[i % 8 < 6 ? 0 : i % 8 - 5];
    const std::string& bytes = before[name];
    // Of a shard's a third in the header and its padding, the others in the tensors.
    const bool in_tensors = name == names[0] && i % 3 != 0;
    const std::uint64_t at = in_tensors ? 4096 + draws.below(bytes.size() - 4096)
                                        : draws.below(std::min<std::uint64_t>(bytes.size(), 4096));
    poke(newest() / name, at, static_cast<char>(bytes[at] ^ (1 << draws.below(8))));
    reasons_.clear();
    ASSERT_EQ(restored(), 10u) << name << " byte " << at;
    if (name == names[0]) {
      ASSERT_EQ(reasons_.size(), 1u);
      EXPECT_THAT(reasons_[0], testing::HasSubstr(name));
    }
    poke(newest() / name, at, bytes[at]);
  }
  for (int i = 0; i < std::min(flips, 1000); ++i) ASSERT_EQ(restored(), 20u) << "an alarm without a cause";
  std::printf("%d flips found, %d clean loads without alarm\n", flips, std::min(flips, 1000));
}

TEST_F(CorruptionTest, TruncatedEmptyZeroedAndGrownFilesAreFound) {
  for (const char* name : {"r00000.safetensors", "MANIFEST.pb", "COMMIT"}) {
    const std::string before = read_file(newest() / name);
    std::string zeroed = before;
    std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(zeroed.size() / 2), zeroed.end(), '\0');
    const std::string shorter = before.substr(0, before.size() - 1);
    for (const std::string& bytes :
         {std::string(), shorter, before.substr(0, before.size() / 2), before + "x"})
      EXPECT_EQ(restored_with(newest() / name, bytes), 10u) << name << " with " << bytes.size() << " bytes";
    EXPECT_EQ(restored_with(newest() / name, zeroed), 10u) << name << " half zeroed";
  }
}

TEST_F(CorruptionTest, FilesOfAnotherStepAreFound) {
  for (const char* name : {"r00000.safetensors", "MANIFEST.pb", "COMMIT"})
    EXPECT_EQ(restored_with(newest() / name, read_file(oldest() / name)), 10u) << name;
}

TEST_F(CorruptionTest, AFolderUnderAnotherStepsNameIsFound) {
  std::filesystem::copy(oldest(), folder_.path() / "checkpoints/s000000099.a01");
  EXPECT_EQ(restored(), 20u);
}

TEST_F(CorruptionTest, AManifestOfAnotherStepIsFoundThoughCommitNamesItsHash) {
  Manifest manifest = parse_manifest(read_file(newest() / "MANIFEST.pb"));
  manifest.id.step = 30;
  const std::string bytes = serialise(manifest);
  overwrite(newest() / "MANIFEST.pb", bytes);
  const auto step = restored_with(
      newest() / "COMMIT",
      serialise(CommitRecord{
          .id = {20, 1}, .manifest_bytes = bytes.size(), .manifest_hash = xxh128(bytes_of(bytes))}));
  EXPECT_EQ(step, 10u);
}

TEST_F(CorruptionTest, MissingFilesAreFound) {
  for (const char* name : {"r00000.safetensors", "MANIFEST.pb", "COMMIT"}) {
    std::filesystem::rename(newest() / name, folder_.path() / "aside");
    EXPECT_EQ(restored(), 10u) << name;
    std::filesystem::rename(folder_.path() / "aside", newest() / name);
  }
  EXPECT_EQ(restored(), 20u);
}

TEST_F(CorruptionTest, AStaleHintDoesNotMatter) {
  overwrite(folder_.path() / "checkpoints/LATEST", "s000000010.a01\n");
  EXPECT_EQ(restored(), 20u);
  std::filesystem::remove(folder_.path() / "checkpoints/LATEST");
  EXPECT_EQ(restored(), 20u);
}

TEST_F(CorruptionTest, HistoryWithoutAValidCheckpointEndsTheRunWithEachReason) {
  overwrite(newest() / "COMMIT", "torn");
  overwrite(oldest() / "MANIFEST.pb", "torn");
  try {
    restored();
    FAIL() << "no failure";
  } catch (const Unresumable& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("s000000020.a01: COMMIT has 4 bytes"));
    EXPECT_THAT(error.what(), testing::HasSubstr("s000000010.a01: MANIFEST.pb is not the one"));
    EXPECT_THAT(error.what(), testing::HasSubstr("--fresh"));
  }
  std::filesystem::remove_all(newest());
  std::filesystem::remove_all(oldest());
  EXPECT_THROW(restored(), Unresumable) << "HISTORY alone is history";
}

TEST_F(CorruptionTest, DamagedDataEverywhereEndsTheRunToo) {
  for (const Path& folder : {newest(), oldest()}) {
    std::string bytes = read_file(folder / "r00000.safetensors");
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    overwrite(folder / "r00000.safetensors", bytes);
  }
  EXPECT_THROW(restored(), Unresumable);
  EXPECT_EQ(reasons_.size(), 2u);
}

}  // namespace
}  // namespace facemae
