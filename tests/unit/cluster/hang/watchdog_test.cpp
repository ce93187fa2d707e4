// Ranks are watchdogs of one process here: what they share is a folder.
#include "cluster/hang/watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "core/error.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr PhaseLimits kShort{.step = Seconds(0.2), .others = Seconds(60)};
constexpr PhaseLimits kLongPhases{.step = Seconds(60), .others = Seconds(60)};
constexpr PhaseLimits kMiddling{.step = Seconds(2), .others = Seconds(60)};

/// One rank: its watchdog, one communicator, and how it ended.
class Rank {
 public:
  Rank(const Path& folder, int rank, PhaseLimits limits = kShort, FileSystem& files = real_files())
      : watchdog_({.rank = rank,
                   .world = 3,
                   .folder = folder,
                   .limits = limits,
                   .tick = milliseconds(5),
                   .wait = milliseconds(300)},
                  {ring_}, files, [this](const Verdict& verdict) {
                    if (!ended_.exchange(true)) end_.set_value(verdict);
                  }) {
    watchdog_.begin_step(1);
    watchdog_.begin_step(2);
    watchdog_.begin_step(3);  // now one has been measured
  }
  OperationRing& ring() { return *ring_; }
  Watchdog& watchdog() { return watchdog_; }
  void enter(const std::string& what) { ring_->start(ring_->push(what)); }
  bool ended() const { return ended_; }
  Verdict end() {
    auto future = end_.get_future();
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) throw Error("it goes on");
    return future.get();
  }

 private:
  std::shared_ptr<OperationRing> ring_ = std::make_shared<OperationRing>("gradients");
  std::atomic<bool> ended_ = false;
  std::promise<Verdict> end_;
  Watchdog watchdog_;
};

/// True when `done` becomes true within half a minute.
bool eventually(const std::function<bool()>& done) {
  for (int i = 0; i < 6000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

std::string conclusion_in(const Path& folder) {
  return std::filesystem::exists(folder / "report.json") ? read_file(folder / "report.json") : "";
}

struct Watching : testing::Test {
  test::TemporaryFolder temporary;
  Path folder = temporary.path() / "hang" / "00000003";
};

TEST_F(Watching, NamesTheRankThatDoesNotEnterTheCollective) {
  Rank zero(folder, 0), one(folder, 1), two(folder, 2);
  zero.enter("all_reduce bucket 1");
  two.enter("all_reduce bucket 1");
  const Verdict verdict = zero.end();
  EXPECT_TRUE(verdict.tells);
  EXPECT_THAT(verdict.ranks, ElementsAre(1));
  EXPECT_THAT(verdict.text,
              HasSubstr("ranks 0 and 2 wait in operation 1 of 'gradients' (all_reduce bucket 1)"));
  EXPECT_THAT(verdict.text, HasSubstr("has not entered it: step (step 3)"));
  EXPECT_TRUE(one.end().fatal);
  EXPECT_TRUE(two.end().fatal);
  EXPECT_THAT(conclusion_in(folder), HasSubstr("\"fatal\": true"));
  EXPECT_EQ(parse_hang_report(read_file(folder / "rank1.json")).communicators.at(0).pushed, 0u);
}

TEST_F(Watching, NamesTheSilentRankThoughItIsTheFirst) {
  Rank one(folder, 1), two(folder, 2);  // rank 0 is stopped
  one.enter("vote");
  two.enter("vote");
  const Verdict first = one.end(), second = two.end();
  EXPECT_THAT(first.ranks, ElementsAre(0));
  EXPECT_THAT(second.ranks, ElementsAre(0));
  EXPECT_TRUE(first.tells);
}

TEST_F(Watching, BearsARankThatWaitsForData) {
  Rank zero(folder, 0), one(folder, 1), two(folder, 2);
  one.watchdog().enter(Phase::Data);
  zero.enter("all_reduce");
  two.enter("all_reduce");
  EXPECT_TRUE(eventually([&] { return !conclusion_in(folder).empty(); }));
  EXPECT_THAT(conclusion_in(folder), HasSubstr("\"fatal\": false"));
  EXPECT_THAT(conclusion_in(folder), HasSubstr("waiting for data"));
  EXPECT_FALSE(zero.ended() || one.ended() || two.ended());
}

TEST_F(Watching, LooksAgainAfterItHasBorneARank) {
  Rank zero(folder, 0), two(folder, 2);
  {
    Rank one(folder, 1);
    one.watchdog().enter(Phase::Data);  // for a minute, if it must be
    zero.enter("all_reduce");
    two.enter("all_reduce");
    EXPECT_TRUE(eventually([&] { return !conclusion_in(folder).empty(); }));
    EXPECT_FALSE(zero.ended() || two.ended());
  }  // and now it is stopped
  EXPECT_THAT(zero.end().ranks, ElementsAre(1));
}

TEST_F(Watching, GoesOnWhenTheCollectiveEndsWhileReportsAreCollected) {
  Rank zero(folder, 0, {.step = Seconds(2), .others = Seconds(60)});
  zero.enter("all_reduce");
  EXPECT_TRUE(eventually([&] {
    return std::filesystem::exists(folder / "rank0.json") &&
           parse_hang_report(read_file(folder / "rank0.json")).cause == HangCause::Deadline;
  }));
  zero.ring().finish(1);
  std::this_thread::sleep_for(milliseconds(600));  // twice the time after which it would have judged
  EXPECT_FALSE(zero.ended());
  EXPECT_EQ(conclusion_in(folder), "");
}

TEST_F(Watching, ALostPeerIsLookedIntoAtOnceAndOthersAnswer) {
  Rank zero(folder, 0, kMiddling), one(folder, 1, kMiddling);
  zero.enter("all_reduce bucket 1");
  one.enter("all_reduce bucket 1");
  const Verdict verdict = one.watchdog().inquire("MPI_Allreduce failed: connection reset");
  EXPECT_TRUE(verdict.fatal);
  EXPECT_TRUE(verdict.tells);
  EXPECT_THAT(verdict.ranks, ElementsAre(2));
  EXPECT_THAT(verdict.text, HasSubstr("ranks 0 and 1 wait"));
  EXPECT_THAT(verdict.text, HasSubstr("rank 1: MPI_Allreduce failed: connection reset"));
  EXPECT_FALSE(one.ended()) << "ending is the caller's";
  EXPECT_EQ(parse_hang_report(read_file(folder / "rank0.json")).rank, 0);
}

TEST_F(Watching, LeavesNoTraceWhileAllIsWell) {
  {
    Rank zero(folder, 0, kLongPhases);
    zero.enter("all_reduce");
    const auto inside = zero.watchdog().within(Phase::Evaluation);
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(Watching, SwitchedOffOnlyRepeatsWhatItIsTold) {
  Watchdog watchdog({.on = false, .folder = folder}, {}, real_files(), [](const Verdict&) { FAIL(); });
  watchdog.begin_step(1);
  const Verdict verdict = watchdog.inquire("a link is down");
  EXPECT_TRUE(verdict.fatal);
  EXPECT_FALSE(verdict.tells);
  EXPECT_EQ(verdict.text, "a link is down");
  EXPECT_FALSE(std::filesystem::exists(folder));
}

/// Files on a server that is gone.
class DeadFiles final : public FileSystem {
 public:
  std::unique_ptr<OutputFile> create(const Path&) override { return hang(); }
  std::unique_ptr<OutputFile> open_append(const Path&) override { return hang(); }
  void rename(const Path&, const Path&) override {}
  void remove(const Path&) override {}
  void make_folder(const Path&) override {}
  void sync_folder(const Path&) override {}
  void revive() { alive_.set_value(); }

 private:
  std::unique_ptr<OutputFile> hang() {
    revived_.wait();
    throw FileError("the server was gone", EIO);
  }
  std::promise<void> alive_;
  std::shared_future<void> revived_ = alive_.get_future().share();
};

/// A server that shows what one rank writes late.
class LateFiles final : public FileSystem {
 public:
  explicit LateFiles(milliseconds late) : late_(late) {}
  std::unique_ptr<OutputFile> create(const Path& path) override { return real_files().create(path); }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    return real_files().open_append(path);
  }
  void rename(const Path& from, const Path& to) override {
    std::this_thread::sleep_for(late_);
    real_files().rename(from, to);
  }
  void remove(const Path& path) override { real_files().remove(path); }
  void make_folder(const Path& path) override { real_files().make_folder(path); }
  void sync_folder(const Path& path) override { real_files().sync_folder(path); }

 private:
  milliseconds late_;
};

TEST_F(Watching, BearsAReportThatIsShownLateWhileARankWaitsForData) {
  LateFiles files(milliseconds(600));  // twice the time that reports have
  Rank zero(folder, 0), one(folder, 1), two(folder, 2, kShort, files);
  one.watchdog().enter(Phase::Data);
  zero.enter("all_reduce");
  two.enter("all_reduce");
  EXPECT_TRUE(eventually([&] {
    const auto found = conclusion_in(folder);
    return !found.empty() && found.find("waiting for data") != std::string::npos;
  }));
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_FALSE(zero.ended() || one.ended() || two.ended());
}

TEST_F(Watching, EndsThoughTheFolderDoesNotAnswer) {
  DeadFiles files;
  Rank zero(folder, 0, {.step = Seconds(0.05), .others = Seconds(0.2)}, files);
  zero.enter("all_reduce");
  EXPECT_THAT(zero.end().text, HasSubstr("does not answer"));
  files.revive();
}

}  // namespace
}  // namespace facemae
