#include "data/pack/journal.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "core/error.h"
#include "tests/temporary_folder.h"
#include "tests/why.h"

namespace facemae {
namespace {

using testing::HasSubstr;

/// Found by fuzzing: a conversion of what no integer holds is undefined.
TEST(Journal, RefusesNumbersThatAreNoWholeOnes) {
  const test::TemporaryFolder out;
  const Path packing = out / kPackingFolder;
  std::filesystem::create_directory(packing);
  const Journal journal(real_files(), out.path());
  for (const char* note : {R"([[1, "reason"], [1e62, "reason"]])", R"([[-1, "reason"]])"}) {
    write_durably(real_files(), packing / "refused-00000.json", bytes_of(std::string(note)));
    EXPECT_THAT(test::why<DataError>([&] { journal.rejects_of_halted(); }),
                HasSubstr("is not a whole number"));
  }
  for (const char* archives : {"[0, 2.5]", "[1e62]", "[-3]"}) {
    const std::string note = std::string(R"({"archives": )") + archives + R"(, "bytes": 0, "extents": 0})";
    write_durably(real_files(), packing / "spill-00000.json", bytes_of(note));
    EXPECT_THAT(test::why<DataError>([&] { journal.spills(); }), HasSubstr("is not a whole number"));
  }
}

TEST(Journal, PassesOverFilesThatOnlyLookLikeNotes) {
  const test::TemporaryFolder out;
  std::filesystem::create_directory(out / kPackingFolder);
  for (const char* name :
       {"shard-x.json", "shard-.json", "shard-1x.json", "shard-99999999999999999999999.json",
        "spill-old.json", "shard-8.json", "shard-000009.json", "shard-00007.json"})
    write_durably(real_files(), out / kPackingFolder / name, bytes_of(std::string("{}")));
  const Journal journal(real_files(), out.path());
  EXPECT_EQ(journal.finished_shards(), (std::vector<std::uint64_t>{7}));
  EXPECT_TRUE(journal.spills().empty());
  ASSERT_EQ(::mkfifo((out / kPackingFolder / "spill-00001.json").c_str(), 0600), 0);
  EXPECT_THROW(journal.spills(), FileError);  // at once
}

TEST(Journal, IsNotGoneOnWithWhileARankOfAnEarlierStartLives) {
  const test::TemporaryFolder out;
  Journal journal(real_files(), out.path());
  EXPECT_NO_THROW(journal.require_no_living_ranks());
  journal.begin("{}");
  write_durably(real_files(), journal.folder() / "rank-00002.lock", bytes_of(std::string("of a dead one")));
  EXPECT_NO_THROW(journal.require_no_living_ranks());
  const FolderLock alive(journal.folder(), journal.lock_of(3));
  EXPECT_THAT(test::why<Unresumable>([&] { journal.require_no_living_ranks(); }),
              HasSubstr("rank 3 of the pack in " + out.path().string()));
}

}  // namespace
}  // namespace facemae
