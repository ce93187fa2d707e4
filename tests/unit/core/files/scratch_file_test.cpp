#include "core/files/scratch_file.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/error.h"
#include "core/files/array.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

TEST(ScratchFile, HasNoNameAndItsMappingOutlivesIt) {
  test::TemporaryFolder here;
  auto scratch = std::make_unique<ScratchFile>(here.path());
  EXPECT_TRUE(std::filesystem::is_empty(here.path()));
  write_whole(real_files(), scratch->path(), "some text");
  const auto mapped = map_file(scratch->path(), 5, 4);
  scratch.reset();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapped.get()), 4), "text");
  EXPECT_TRUE(std::filesystem::is_empty(here.path()));
}

TEST(ScratchFile, NamesTheFolderThatHasNoPlaceForIt) {
  test::TemporaryFolder here;
  try {
    ScratchFile scratch(here / "missing");
    FAIL() << "made in a folder that is not there";
  } catch (const FileError& error) {
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos);
  }
}

}  // namespace
}  // namespace facemae
