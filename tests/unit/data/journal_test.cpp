#include "data/journal.h"

#include <gmock/gmock.h>

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
    EXPECT_THAT(test::why<DataError>([&] { journal.rejects_of_halted(); }), HasSubstr("is no whole number"));
  }
  for (const char* archives : {"[0, 2.5]", "[1e62]", "[-3]"}) {
    const std::string note = std::string(R"({"archives": )") + archives + R"(, "bytes": 0, "extents": 0})";
    write_durably(real_files(), packing / "spill-00000.json", bytes_of(note));
    EXPECT_THAT(test::why<DataError>([&] { journal.spills(); }), HasSubstr("is no whole number"));
  }
}

}  // namespace
}  // namespace facemae
