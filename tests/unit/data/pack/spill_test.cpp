#include "data/pack/spill.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

using test_images::TemporaryFolder;

constexpr std::uint64_t kEntries = 100, kPerShard = 13;

class SpillTest : public testing::Test {
 protected:
  SpillTest() : journal_(real_files(), here_ / "out") {
    plan_.entries = kEntries;
    plan_.images_per_shard = kPerShard;
    plan_.order_key = 5;
    plan_.settings = "{}";
    journal_.begin(plan_.settings);
    for (std::uint64_t shard = 0; shard < plan_.shards(); ++shard) all_.push_back(shard);
  }
  static std::vector<std::byte> bytes(std::uint64_t entry) {
    return std::vector<std::byte>(20 + entry % 7, std::byte{static_cast<unsigned char>(entry)});
  }
  static void add(SpillWriter& writer, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t entry = begin; entry < end; ++entry)
      writer.add(entry, entry % 10 == 9
                            ? PreparedImage{{}, 0, "cannot be read: no " + std::to_string(entry)}
                            : PreparedImage{bytes(entry), static_cast<std::uint8_t>(entry % 8), ""});
  }
  SpillWriter writer(int rank, std::uint64_t run_bytes = 300) {
    return {real_files(), journal_, plan_, rank, run_bytes};
  }
  void expect_all_there() {
    const Spill spill(journal_, plan_, all_);
    const Permutation order = plan_.order();
    std::uint64_t found = 0;
    for (const std::uint64_t shard : all_)
      for (const auto& image : spill.images_of(shard)) {
        EXPECT_EQ(image.position / kPerShard, shard);
        const std::uint64_t entry = order(image.position);
        EXPECT_EQ(image.bytes, bytes(entry));
        EXPECT_EQ(image.flags, entry % 8);
        ++found;
      }
    EXPECT_EQ(found, kEntries * 9 / 10);
    const auto rejects = spill.rejects();
    EXPECT_EQ(rejects.size(), kEntries / 10);
    EXPECT_EQ(rejects.at(49), "cannot be read: no 49");
  }

  TemporaryFolder here_;
  PackPlan plan_;
  Journal journal_;
  std::vector<std::uint64_t> all_;
};

TEST_F(SpillTest, GivesEachShardItsImagesFromAllRanks) {
  auto first = writer(0), second = writer(1, 1 << 20);
  add(first, 0, 40);
  first.finish_archive(0);
  add(second, 40, 100);
  second.finish_archive(1);
  first.close();
  second.close();
  EXPECT_EQ(first.rejects().size(), 4u);
  expect_all_there();
}

TEST_F(SpillTest, ForgetsWhatWasNotNotedAndGoesOn) {
  {
    auto killed = writer(0);
    add(killed, 0, 40);
    killed.finish_archive(3);
    add(killed, 40, 80);  // of an archive that is never finished
  }
  const auto noted = journal_.spills().at(0);
  EXPECT_EQ(noted.archives, std::vector<std::uint64_t>{3});
  EXPECT_GT(std::filesystem::file_size(journal_.folder() / "spill-00000.data"), noted.bytes);
  auto again = writer(0);
  add(again, 40, 100);
  again.finish_archive(4);
  again.close();
  expect_all_there();
}

TEST_F(SpillTest, NoticesEveryFlippedBit) {
  auto only = writer(0);
  add(only, 0, 100);
  only.finish_archive(0);
  only.close();
  for (const char* name : {"spill-00000.data", "spill-00000.extents"}) {
    const Path path = journal_.folder() / name;
    for (std::uint64_t at = 0; at < std::filesystem::file_size(path); ++at) {
      test_images::flip_bit(path, at);
      EXPECT_THROW(
          {
            const Spill spill(journal_, plan_, all_);
            for (const std::uint64_t shard : all_) spill.images_of(shard);
            spill.rejects();
          },
          FileError)
          << at;
      test_images::flip_bit(path, at);
    }
  }
  expect_all_there();
}

TEST_F(SpillTest, RefusesAnImageThatTwoArchivesHandOver) {
  auto only = writer(0);
  add(only, 0, 100);
  add(only, 50, 51);
  only.finish_archive(0);
  only.close();
  const Spill spill(journal_, plan_, all_);
  EXPECT_THROW(
      {
        for (const std::uint64_t shard : all_) spill.images_of(shard);
      },
      DataError);
}

TEST_F(SpillTest, RefusesASpillThatIsShorterThanNoted) {
  auto only = writer(0);
  add(only, 0, 100);
  only.finish_archive(0);
  only.close();
  std::filesystem::resize_file(journal_.folder() / "spill-00000.data", 100);
  EXPECT_THROW(writer(0), DataError);
}

}  // namespace
}  // namespace facemae
