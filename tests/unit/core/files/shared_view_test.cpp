#include "core/files/shared_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

void put(const Path& path, const std::string& text) { std::ofstream(path, std::ios::trunc) << text; }

TEST(SharedView, SeesWhatIsThereAtOnce) {
  const test::TemporaryFolder folder;
  put(folder / "a", "12345");
  put(folder / "empty", "");
  EXPECT_THAT(unseen_after(folder.path(), {{"a", 5}, {"empty", 0}}, milliseconds(0)), IsEmpty());
  EXPECT_THAT(unseen_after(folder.path() / "none", {}, milliseconds(0)), IsEmpty());
}

TEST(SharedView, TellsOfEachFileThatIsMissingOrOfAnotherSize) {
  const test::TemporaryFolder folder;
  put(folder / "short", "123");
  put(folder / "right", "12345");
  EXPECT_THAT(unseen_after(folder.path(), {{"short", 5}, {"right", 5}, {"none", 5}}, milliseconds(30)),
              ElementsAre("short has 3 of 5 bytes", "none is not there"));
  EXPECT_THAT(unseen_after(folder / "nowhere", {{"a", 1}}, milliseconds(0)), ElementsAre("a is not there"));
}

TEST(SharedView, WaitsForWhatShowsLate) {
  const test::TemporaryFolder folder;
  std::jthread late([&] {
    put(folder / "a", "1");
    put(folder / "b.part", "12345");
    put(folder / "a", "12345");
    std::filesystem::rename(folder / "b.part", folder / "b");
  });
  EXPECT_THAT(unseen_after(folder.path(), {{"a", 5}, {"b", 5}}, std::chrono::minutes(1)), IsEmpty());
}

}  // namespace
}  // namespace facemae
