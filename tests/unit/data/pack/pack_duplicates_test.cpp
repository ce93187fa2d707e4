#include "data/pack/pack_duplicates.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

TEST(Duplicates, AreFoundOverShardsForAnyNumberOfRanksAndTurns) {
  const test_images::TemporaryFolder here;
  Journal journal(real_files(), here / "out");
  journal.begin("{}");
  // Entry e has the bytes of e % 30: the first of each kind are 0..29.
  std::vector<Journal::Stored> images;
  for (std::uint64_t entry = 0; entry < 100; ++entry) {
    const std::uint64_t scattered = (entry * 37) % 100;
    images.push_back({mix(scattered % 30), scattered});
  }
  for (std::uint64_t shard = 0; shard < 4; ++shard) {
    const auto first = images.begin() + static_cast<std::ptrdiff_t>(shard * 25);
    journal.note(shard, {}, {first, first + 25});
  }
  for (const int ranks : {1, 2, 7})
    for (const std::uint64_t at_once : {3, 1000}) {
      for (int rank = 0; rank < ranks; ++rank)
        find_duplicates(real_files(), journal, images.size(), rank, ranks, at_once);
      const auto found = found_duplicates(journal, ranks);
      ASSERT_EQ(found.size(), 70u);
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].entry, 30 + i);
        EXPECT_EQ(found[i].original, i % 30);
      }
    }
}

TEST(Duplicates, ADamagedListIsNotBelieved) {
  const test_images::TemporaryFolder here;
  Journal journal(real_files(), here / "out");
  journal.begin("{}");
  journal.note(0, {}, {{1, 2}, {3, 4}});
  EXPECT_EQ(journal.images(0).size(), 2u);
  test_images::flip_bit(journal.folder() / "shard-00000.images", 9);
  EXPECT_THROW(journal.images(0), DataError);
}

}  // namespace
}  // namespace facemae
