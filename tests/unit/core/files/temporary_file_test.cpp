#include "core/files/temporary_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "core/host.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

class TemporaryFiles : public testing::Test {
 protected:
  /// As another process would have named it.
  Path named(const std::string& host, long process) const {
    return folder / ("a.h5." + host + "-" + std::to_string(process) + "-0123456789abcdef.tmp");
  }
  const test::TemporaryFolder temporary;
  const Path folder = temporary.path();
};

TEST_F(TemporaryFiles, TwoWritersOfOneFileDoNotMeet) {
  TemporaryFile first(real_files(), folder / "a"), second(real_files(), folder / "a");
  ASSERT_NE(first.path(), second.path());
  write_whole(real_files(), first.path(), "first");
  write_whole(real_files(), second.path(), "second");
  first.publish();
  EXPECT_EQ(read_file(folder / "a"), "first");
  second.publish();
  EXPECT_EQ(read_file(folder / "a"), "second");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST_F(TemporaryFiles, GoUnlessTheyArePublished) {
  { const TemporaryFile given_up(real_files(), folder / "a"); }
  EXPECT_TRUE(fs::is_empty(folder));
  EXPECT_THROW(TemporaryFile(real_files(), folder / "missing" / "a"), FileError);
}

TEST_F(TemporaryFiles, AreKnownByTheirNames) {
  for (const char* name :
       {"a", "plain.tmp", "a.tmp", "a-12-0123456789abcdef.tmp", "a.node-x-0123456789abcdef.tmp",
        "a.node-12-0123456789ABCDEF.tmp", "a.node-12-0123456789abcde.tmp", ".tmp", ""})
    EXPECT_FALSE(is_temporary(name)) << name;
  EXPECT_TRUE(is_temporary(own_temporary(folder / "a").filename().string()));
  EXPECT_TRUE(is_temporary("shard-00001.h5.node-3.cluster-12-0123456789abcdef.tmp"));
}

TEST_F(TemporaryFiles, OfTheDeadAreTidiedAndNothingElse) {
  const Path dead = named(host_name(), 999999999), elsewhere = named("another-host", 1),
             alive = named(host_name(), ::getppid()), theirs = folder / "a.h5.tmp";
  for (const Path& path : {dead, elsewhere, alive, theirs}) write_whole(real_files(), path, "half");
  remove_temporaries(folder, "b.h5");
  EXPECT_TRUE(fs::exists(dead)) << "it is of another file";
  remove_temporaries(folder, "a.h5");
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_FALSE(fs::exists(elsewhere));
  EXPECT_TRUE(fs::exists(alive));
  EXPECT_TRUE(fs::exists(theirs)) << "a user's file";
  fs::create_directories(dead / "inside");
  remove_temporaries(folder);
  EXPECT_FALSE(fs::exists(dead)) << "a folder, too";
}

}  // namespace
}  // namespace facemae
