// The notes of an unfinished pack (data/pack/journal.h): each input stands in for every note.
#include "core/error.h"
#include "data/pack/journal.h"
#include "tests/fuzz/target.h"
#include "tests/temporary_folder.h"

namespace facemae::fuzz {
namespace {

/// OUT/packing with notes of one shard, one rank's spill and one refusal, all of them the same file.
struct Notes {
  Notes() {
    const Path packing = folder / kPackingFolder;
    std::filesystem::create_directory(packing);
    for (const char* name : {"settings.json", "shard-00000.json", "shard-00000.images", "spill-00000.json",
                             "refused-00000.json"})
      std::filesystem::create_symlink(file.holding(""), packing / name);
  }
  InputPath file;
  test::TemporaryFolder folder;
};

}  // namespace

void parse(std::string_view input) {
  static Notes notes;
  notes.file.holding(input);
  const Journal journal(real_files(), notes.folder.path());
  int refused = 0;
  const auto attempt = [&](auto read) {
    try {
      read();
    } catch (const Error&) {
      ++refused;
    }
  };
  attempt([&] { journal.require_begun("{}", 1); });
  attempt([&] { journal.shard(0); });
  attempt([&] { journal.images(0); });
  attempt([&] { journal.spills(); });
  attempt([&] { journal.rejects_of_halted(); });
  if (refused == 5) throw DataError("it is no note at all");
}

std::vector<std::string> seeds() {
  const std::string digest = "00112233445566778899aabbccddeeff";
  return {R"({"images":2,"bytes":10,"blob_offset":4096,"blob_digest":")" + digest + R"(","index_digest":")" +
              digest + R"(","images_digest":")" + digest + R"(","rejects":[[7,"why"]]})",
          R"({"archives":[0,3],"bytes":123,"extents":2})", R"([[1,"a reason"],[2,""]])",
          R"({"format":"facemae-pack-journal","version":2,"settings":{}})"};
}

}  // namespace facemae::fuzz
