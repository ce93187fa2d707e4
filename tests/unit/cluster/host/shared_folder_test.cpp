// Ranks are threads, each with a path of its own, as nodes have that mount other disks under one path.
#include "cluster/host/shared_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <mutex>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/host.h"
#include "tests/ranked/checkpoint/tensors/thread_control.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

/// Files of other names land elsewhere, or nowhere.
class OtherFiles final : public FileSystem {
 public:
  explicit OtherFiles(Path elsewhere) : elsewhere_(std::move(elsewhere)) {}
  std::unique_ptr<OutputFile> create(const Path& path) override {
    if (elsewhere_.empty()) throw FileError("creating " + path.string() + ": Permission denied", EACCES);
    return real_files().create(elsewhere_ / path.filename());
  }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    return real_files().open_append(path);
  }
  void rename(const Path& from, const Path& to) override { real_files().rename(from, to); }
  void remove(const Path& path) override { real_files().remove(path); }
  void make_folder(const Path& path) override { real_files().make_folder(path); }
  void sync_folder(const Path& path) override { real_files().sync_folder(path); }

 private:
  Path elsewhere_;
};

class SharedFolder : public testing::Test {
 protected:
  /// What each of `ranks` ranks is told, "" where all is well. By rank: its path and its files, where they
  /// are its own.
  std::vector<std::string> meet(int ranks, std::map<int, Path> paths, std::map<int, FileSystem*> files = {}) {
    std::vector<std::string> told(static_cast<std::size_t>(ranks));
    test::run_ranks(ranks, [&](Control& control) {
      const int rank = control.rank();
      try {
        require_shared(control, files.contains(rank) ? *files[rank] : real_files(),
                       paths.contains(rank) ? paths[rank] : shared_, "--run runs/a", milliseconds(200));
      } catch (const AgreedError& error) {
        EXPECT_EQ(error.code(), ExitCode::BadConfiguration);
        told[static_cast<std::size_t>(rank)] = error.what();
      }
    });
    return told;
  }
  void expect_nothing_left() const {
    if (std::filesystem::exists(shared_)) {
      EXPECT_TRUE(std::filesystem::is_empty(shared_));
    }
  }
  const test::TemporaryFolder folder_;
  const Path shared_ = folder_ / "one/run";
};

TEST_F(SharedFolder, IsMadeAndLeftEmptyWhenAllSeeTheSame) {
  EXPECT_THAT(meet(4, {}), Each(std::string()));
  EXPECT_TRUE(std::filesystem::is_directory(shared_));
  EXPECT_TRUE(std::filesystem::is_empty(shared_));
}

TEST_F(SharedFolder, NamesTheRanksThatHaveADiskOfTheirOwn) {
  std::filesystem::create_directories(folder_ / "other/run");  // as an earlier run may have left it
  const auto told = meet(3, {{2, folder_ / "other/run"}});
  EXPECT_THAT(told,
              Each(AllOf(HasSubstr("--run runs/a is not one folder for all ranks"),
                         HasSubstr("rank 2 on " + host_name() + " does not see what rank 0 writes there"),
                         HasSubstr("rank 0 on " + host_name()), Not(HasSubstr("rank 1")))));
  expect_nothing_left();
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "other/run"));
}

TEST_F(SharedFolder, NamesARankWhosePathIsNotThere) {
  EXPECT_THAT(meet(2, {{1, folder_ / "nowhere/run"}}), Each(HasSubstr("rank 1 on")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "nowhere")) << "nothing is made where it is wrong";
}

TEST_F(SharedFolder, FindsARankThatReadsTheSameAndWritesElsewhere) {
  OtherFiles elsewhere(folder_.path());
  EXPECT_THAT(meet(3, {}, {{1, &elsewhere}}),
              Each(AllOf(HasSubstr("rank 1 on"), HasSubstr("writes there what rank 0 does not see"),
                         Not(HasSubstr("rank 2")))));
  expect_nothing_left();
}

TEST_F(SharedFolder, TellsOfARankThatMayNotWrite) {
  OtherFiles locked{Path()};
  EXPECT_THAT(meet(2, {}, {{1, &locked}}),
              Each(AllOf(HasSubstr("rank 1 on"), HasSubstr("Permission denied"))));
  expect_nothing_left();
}

TEST_F(SharedFolder, ARankAloneSharesWithNobody) {
  EXPECT_THAT(meet(1, {}), Each(std::string()));
  EXPECT_FALSE(std::filesystem::exists(shared_));
}

TEST_F(SharedFolder, ClearsWhatAKilledStartHasLeftAndNothingOfAnotherThatIsMeetingNow) {
  std::filesystem::create_directories(shared_ / ".shared-old");
  std::filesystem::create_directories(shared_ / ".shared-now");
  std::filesystem::last_write_time(shared_ / ".shared-old",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(5));
  EXPECT_THAT(meet(2, {}), Each(std::string()));
  EXPECT_FALSE(std::filesystem::exists(shared_ / ".shared-old"));
  EXPECT_TRUE(std::filesystem::exists(shared_ / ".shared-now"));
}

}  // namespace
}  // namespace facemae
