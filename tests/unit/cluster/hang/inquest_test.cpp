// Up to 512 ranks in one thread, on a clock and a file system of the test's own.
#include "cluster/hang/inquest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>

namespace facemae {
namespace {

using testing::HasSubstr;

constexpr PhaseLimits kLimitsOfCrowd{.step = Seconds(20), .others = Seconds(600)};
constexpr double kTick = 0.5;
constexpr int kFirstOfNode = 8, kRanksOfNode = 8;

PhaseClock::Time second(double seconds) {
  return PhaseClock::Time(std::chrono::duration_cast<PhaseClock::Clock::duration>(Seconds(10'000 + seconds)));
}

/// A folder that shows what some ranks have written late.
struct Folder {
  template <class T>
  struct Written {
    T what;
    PhaseClock::Time when, shown;
  };
  PhaseClock::Time now = second(0);
  std::map<int, Seconds> late;                           ///< by rank
  std::map<int, std::vector<Written<HangReport>>> left;  ///< by rank, newest last
  std::vector<Written<int>> calls;
  std::vector<Written<Verdict>> conclusions;
  std::size_t looks = 0, reads = 0, writes = 0;

  template <class T>
  void write(std::vector<Written<T>>& into, T what, int rank) {
    ++writes;
    into.push_back({std::move(what), now,
                    late.contains(rank)
                        ? now + std::chrono::duration_cast<PhaseClock::Clock::duration>(late.at(rank))
                        : now});
  }
  template <class T>
  const Written<T>* newest(const std::vector<Written<T>>& of) const {
    const auto found =
        std::find_if(of.rbegin(), of.rend(), [&](const auto& one) { return one.shown <= now; });
    return found == of.rend() ? nullptr : &*found;
  }
};

class FolderOfRank final : public HangMail {
 public:
  FolderOfRank(Folder& folder, int rank) : folder_(folder), rank_(rank) {}
  void write(const HangReport& report) noexcept override {
    folder_.write(folder_.left[rank_], report, rank_);
    own_ = folder_.now;
  }
  void call(Seconds fresh) noexcept override {
    if (const auto other = caller(fresh); other && *other < rank_) return;
    folder_.write(folder_.calls, rank_, rank_);
    heard_ = folder_.now;
  }
  bool called() noexcept override {
    ++folder_.looks;
    const auto* call = folder_.newest(folder_.calls);
    return call != nullptr && std::exchange(heard_, call->when) != call->when;
  }
  std::optional<int> caller(Seconds fresh) noexcept override {
    ++folder_.looks;
    const auto* call = folder_.newest(folder_.calls);
    if (call == nullptr || own_ - call->when > fresh) return std::nullopt;
    return call->what;
  }
  std::vector<HangReport> read(const HangReport& own, Seconds fresh) noexcept override {
    std::vector<HangReport> reports;
    for (int rank = 0; rank < own.world; ++rank) {
      if (rank == rank_) {
        reports.push_back(own);
        continue;
      }
      ++folder_.reads;
      const auto* report = folder_.newest(folder_.left[rank]);
      if (report != nullptr && own_ - report->when <= fresh) reports.push_back(report->what);
    }
    return reports;
  }
  void conclude(const Verdict& verdict) noexcept override {
    folder_.write(folder_.conclusions, verdict, rank_);
  }
  std::optional<Verdict> conclusion() noexcept override {
    ++folder_.looks;
    const auto* found = folder_.newest(folder_.conclusions);
    return found != nullptr && found->when >= own_ ? std::optional(found->what) : std::nullopt;
  }

 private:
  Folder& folder_;
  int rank_;
  PhaseClock::Time own_{}, heard_{};
};

struct SimulatedRank {
  SimulatedRank(Folder& folder, int rank, int world)
      : number(rank),
        ranks(world),
        mail(folder, rank),
        inquest(mail, InquestTimes::of(Seconds(3), Seconds(0.02), kLimitsOfCrowd, world), kLimitsOfCrowd,
                rank, world),
        clock(kLimitsOfCrowd, second(-3)) {
    for (std::uint64_t step = 1; step <= 3; ++step)
      clock.begin_step(step, second(static_cast<double>(step) - 3));
  }
  HangReport report(HangCause cause, const std::string& error, PhaseClock::Time now) const {
    const std::uint64_t entered = waits ? 12 : 11;
    const auto state = waits ? OperationState::Started : OperationState::Finished;
    return {.rank = number,
            .world = ranks,
            .host = "node" + std::to_string(number / kRanksOfNode),
            .process = 1000 + number,
            .written = 0,
            .cause = cause,
            .error = error,
            .at = clock.look(now, {}),
            .communicators = {{.name = "gradients",
                               .pushed = entered,
                               .started = entered,
                               .finished = 11,
                               .tail = {{.number = entered, .what = "all_reduce", .state = state}}}}};
  }

  int number, ranks;
  FolderOfRank mail;
  Inquest inquest;
  PhaseClock clock;
  bool waits = true, lives = true;  ///< waits in a collective
  std::vector<Verdict> verdicts = {};
};

/// A world whose ranks have entered a collective at second 0.
struct Gathering {
  explicit Gathering(int size) {
    for (int rank = 0; rank < size; ++rank)
      ranks.push_back(std::make_unique<SimulatedRank>(folder, rank, size));
  }
  SimulatedRank& operator[](int rank) { return *ranks[static_cast<std::size_t>(rank)]; }
  int size() const { return static_cast<int>(ranks.size()); }

  /// Returns the second at which some rank has a fatal verdict, `until` without any.
  double run(double until) {
    for (; now < until; now += kTick) {
      folder.now = second(now);
      for (auto& rank : ranks) {
        if (!rank->lives) continue;
        rank->clock.listen(folder.now, {});
        const auto sight = rank->clock.look(folder.now, {});
        if (!rank->inquest.due(folder.now, sight)) continue;
        const auto verdict =
            rank->inquest.look(folder.now, sight, [&](HangCause cause, const std::string& error) {
              return rank->report(cause, error, folder.now);
            });
        if (verdict) rank->verdicts.push_back(*verdict);
        if (verdict && verdict->fatal) fatal.push_back(rank->number);
      }
      if (!fatal.empty()) return now;
    }
    return until;
  }
  void node_is(bool alive) {
    for (int rank = kFirstOfNode; rank < kFirstOfNode + kRanksOfNode; ++rank) (*this)[rank].lives = alive;
  }
  void node_writes_late(Seconds late) {
    for (int rank = kFirstOfNode; rank < kFirstOfNode + kRanksOfNode; ++rank) folder.late[rank] = late;
  }
  std::vector<int> node() const {
    std::vector<int> all(kRanksOfNode);
    std::iota(all.begin(), all.end(), kFirstOfNode);
    return all;
  }

  Folder folder;
  std::vector<std::unique_ptr<SimulatedRank>> ranks;
  std::vector<int> fatal;
  double now = 0;
};

struct InquestOf : testing::TestWithParam<int> {
  Gathering world{GetParam()};
  Seconds wait = InquestTimes::of(Seconds(3), Seconds(0.02), kLimitsOfCrowd, GetParam()).wait;
};
INSTANTIATE_TEST_SUITE_P(Ranks, InquestOf, testing::Values(64, 512));

TEST_P(InquestOf, KillsNobodyForASlowFileSystemWhileARankReads) {
  for (const double late : {5.0, 45.0}) {
    Gathering slow(GetParam());
    slow.node_writes_late(Seconds(late));
    slow[17].waits = false;
    slow[17].clock.enter(Phase::Data, second(0));
    EXPECT_EQ(slow.run(200), 200) << slow.folder.conclusions.back().what.text;
    ASSERT_GE(slow.folder.conclusions.size(), 3u) << "they do ask";
    EXPECT_THAT(slow.folder.conclusions.back().what.text, HasSubstr("rank 17"));
  }
}

TEST_P(InquestOf, KillsNobodyForReportsThatAreShownFiveSecondsLate) {
  world.node_writes_late(Seconds(5));
  world[17].waits = false;  // computes, and is about to be late itself
  world[17].clock.enter(Phase::Step, second(10));
  EXPECT_EQ(world.run(29), 29);
}

TEST_P(InquestOf, NamesTheRanksOfADeadNodeAfterASecondLook) {
  world.node_is(false);
  const double found = world.run(200);
  EXPECT_GE(found, 20 + wait.count() + 20);
  EXPECT_LE(found, 20 + wait.count() + 20 + wait.count() + 4 * kTick);
  EXPECT_EQ(world[0].verdicts.back().ranks, world.node());
  EXPECT_TRUE(world[0].verdicts.back().tells);
  EXPECT_THAT(world[0].verdicts.back().text, HasSubstr("left no report"));
  EXPECT_EQ(world.folder.conclusions.size(), 2u);
}

TEST_P(InquestOf, ReadsEachReportOnceHoweverManyAsk) {
  world.node_is(false);
  world.run(200);
  const auto ranks = static_cast<std::size_t>(world.size()), inquests = world.folder.conclusions.size();
  EXPECT_EQ(world.folder.reads, inquests * (ranks - 1));
  EXPECT_LE(world.folder.looks, 24 * inquests * ranks);
  EXPECT_LE(world.folder.writes, 4 * inquests * ranks);
  world.run(world.now + 2 * wait.count());
  EXPECT_EQ(world[world.size() - 1].verdicts.size(), 2u) << "the others hear of it";
}

TEST_P(InquestOf, IsJudgedByTheLowestThatReports) {
  for (int rank = 0; rank < kFirstOfNode; ++rank) world[rank].lives = false;
  world.run(200);
  ASSERT_FALSE(world.fatal.empty());
  EXPECT_EQ(world.fatal.front(), kFirstOfNode);
  EXPECT_TRUE(world[kFirstOfNode].verdicts.back().tells);
  EXPECT_EQ(world[kFirstOfNode].verdicts.back().ranks.size(), static_cast<std::size_t>(kFirstOfNode));
}

TEST_P(InquestOf, GoesOnWhenTheOneThatWasToJudgeDies) {
  world.node_is(false);
  world.run(21);
  world[0].lives = false;  // it has asked
  const double found = world.run(400);
  EXPECT_LE(found, 20 + 4 * wait.count() + 3 * (wait.count() + 20));
  EXPECT_EQ(world.fatal.front(), 1);
  EXPECT_EQ(world[1].verdicts.back().ranks.front(), 0);
}

TEST_P(InquestOf, NamesADeadNodeAtOnceWhenACallHasFailed) {
  world.node_is(false);
  world.run(2);
  for (auto& rank : world.ranks)
    if (rank->lives)
      rank->inquest.open(world.folder.now, rank->clock.look(world.folder.now, {}), "connection reset",
                         [&](HangCause cause, const std::string& error) {
                           return rank->report(cause, error, world.folder.now);
                         });
  EXPECT_LE(world.run(100), 10 + wait.count() + 2 * kTick);
  EXPECT_EQ(world[0].verdicts.back().ranks, world.node());
  EXPECT_THAT(world[0].verdicts.back().text, HasSubstr("connection reset"));
  EXPECT_EQ(world.folder.reads, static_cast<std::size_t>(world.size()) - 1);
}

TEST_P(InquestOf, GivesTheOthersTimeToListenWhenOneRankAloneHasLostAPeer) {
  world.node_is(false);
  world.run(2);
  SimulatedRank& lost = world[30];
  lost.inquest.open(
      world.folder.now, lost.clock.look(world.folder.now, {}), "connection reset",
      [&](HangCause cause, const std::string& error) { return lost.report(cause, error, world.folder.now); });
  world.run(100);
  ASSERT_FALSE(world.fatal.empty());
  const Verdict& found = world[world.fatal.front()].verdicts.back();
  EXPECT_EQ(found.ranks, world.node()) << "nobody who lives and had no time to report";
  EXPECT_THAT(found.text, HasSubstr("rank 30: connection reset"));
}

TEST_P(InquestOf, FindsADeadNodeOnceTheRankThatReadHasItsImages) {
  world.node_is(false);
  world[17].waits = false;
  world[17].clock.enter(Phase::Data, second(0));
  EXPECT_EQ(world.run(100), 100);
  world[17].waits = true;
  world[17].clock.enter(Phase::Step, second(100));
  EXPECT_LE(world.run(300), 100 + 20 + 3 * wait.count());
  EXPECT_EQ(world[0].verdicts.back().ranks, world.node());
}

TEST_P(InquestOf, ForgetsWhatWasMissingWhenTheJobGetsOn) {
  world.node_writes_late(Seconds(30));
  world.run(20 + wait.count() + 2);
  ASSERT_EQ(world.folder.conclusions.size(), 1u);
  for (std::uint64_t step = 4; step < 10; ++step) {
    for (auto& rank : world.ranks) rank->clock.begin_step(step, second(world.now));
    world.run(world.now + 10);
  }
  const double got_on = world.now;
  EXPECT_GT(world.run(300), got_on + 10 + wait.count() + 20)
      << "the first look after that is the first again";
}

TEST_P(InquestOf, LeavesTheFolderAloneForHalfOfTheLimit) {
  world.run(9.5);
  EXPECT_EQ(world.folder.looks + world.folder.writes, 0u);
  world.run(19);
  EXPECT_GT(world.folder.looks, 0u);
}

TEST(InquestTimes, GrowWithTheWorld) {
  EXPECT_NEAR(InquestTimes::of(Seconds(3), Seconds(0.02), kLimitsOfCrowd, 1).wait.count(), 3.02, 1e-9);
  const auto large = InquestTimes::of(Seconds(3), Seconds(0.02), kLimitsOfCrowd, 2048);
  EXPECT_NEAR(large.wait.count(), 43.96, 1e-9);
  EXPECT_EQ(large.again, large.wait) << "never below the time that reports have";
  EXPECT_EQ(large.answer.count(), 600);
}

}  // namespace
}  // namespace facemae
