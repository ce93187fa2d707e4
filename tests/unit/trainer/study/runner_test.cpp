#include "trainer/study/runner.h"

#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <set>
#include <thread>

#include "core/signals.h"
#include "tests/unit/trainer/study/fake_program.h"
#include "trainer/study/child.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

struct StudyRuns : testing::Test {
  StudyRuns() {
    std::filesystem::create_directories(out);
    StudyConfig config{.train = "/f/train", .unseen = "/f/unseen", .held_out = "/f/h", .pairs = "/f/p"};
    config.arms = {"facemae", "blend-2"};
    config.seeds = 1;
    plan = plan_study(config, {.people = 6, .images = 8});
  }
  RunnerConfig config(double first = 0) const {
    return {.out = out,
            .program = program.path(),
            .launcher = {},
            .device = {},
            .first = first,
            .show = false,
            .pause = std::chrono::milliseconds(5)};
  }
  StudyEnd run() { return run_units(real_files(), plan.units, config()); }
  std::vector<UnitState> states() const {
    std::vector<std::optional<UnitRecord>> records;
    for (const auto& unit : plan.units) records.push_back(read_record(out, unit));
    return states_of(plan.units, records);
  }
  long count(UnitState state) const {
    const auto all = states();
    return std::count(all.begin(), all.end(), state);
  }
  /// The study in a process of its own, which ends with the number of its end.
  pid_t start(
      double first = 0, const std::function<void()>& before = [] {}) {
    const pid_t process = ::fork();
    if (process == 0) {
      before();
      ::_exit(static_cast<int>(run_units(real_files(), plan.units, config(first))));
    }
    return process;
  }
  static int end_of(pid_t process) {
    int status = 0;
    ::waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// Until `count` commands wait for the file "slow" to go.
  void wait_for_waiting(std::size_t count) const {
    while (program.lines("waiting").size() < count) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const test::TemporaryFolder folder;
  const Path out = folder / "study";
  const test::FakeProgram program{folder.path()};
  StudyPlan plan;
};

TEST_F(StudyRuns, DoEveryUnitOnceAfterWhatItNeeds) {
  EXPECT_EQ(run(), StudyEnd::Finished);
  EXPECT_EQ(count(UnitState::Done), 9);
  std::vector<std::string> commands;
  for (const auto& call : program.calls()) commands.push_back(call.substr(0, call.find(' ')));
  EXPECT_THAT(commands, ElementsAre("pretrain", "reconstruct", "recognize", "evaluate", "audit",
                                    "reconstruct", "recognize", "evaluate", "audit"));
  EXPECT_EQ(run(), StudyEnd::Finished);
  EXPECT_THAT(program.calls(), SizeIs(9)) << "a second start has nothing to do";
}

TEST_F(StudyRuns, GoOnWithOtherArmsWhenOneFails) {
  program.write("rules", "arms/blend-2.0/recognition 65\n");
  EXPECT_EQ(run(), StudyEnd::Finished);
  EXPECT_EQ(count(UnitState::Done), 6);
  EXPECT_EQ(count(UnitState::Failed), 1);
  EXPECT_EQ(count(UnitState::Lost), 2);
  const auto failed = std::find_if(plan.units.begin(), plan.units.end(),
                                   [](const auto& unit) { return unit.id == "recognize.blend-2.0"; });
  EXPECT_EQ(read_record(out, *failed)->code, 65);
  EXPECT_EQ(read_record(out, *failed)->said, "told to fail");
  EXPECT_EQ(run(), StudyEnd::Finished);
  EXPECT_THAT(program.calls(), SizeIs(7)) << "what failed stays so";
  program.remove("rules");
  EXPECT_EQ(forget_failures(real_files(), out, plan.units), 1u);
  EXPECT_EQ(run(), StudyEnd::Finished);
  EXPECT_EQ(count(UnitState::Done), 9);
}

TEST_F(StudyRuns, LoseAllArmsOfAFaceMaeThatFailed) {
  program.write("rules", "pretrain 2\n");
  EXPECT_EQ(run(), StudyEnd::Finished);
  EXPECT_EQ(count(UnitState::Lost), 8);
}

TEST_F(StudyRuns, StartACommandThatCrashesAgainAndThenGiveUp) {
  program.write("rules", "audit 75\n");
  EXPECT_EQ(run(), StudyEnd::Finished);
  EXPECT_THAT(program.calls(), SizeIs(7 + 2 * 3));
  EXPECT_EQ(count(UnitState::Failed), 2);
}

TEST_F(StudyRuns, ForgetARecordOfAnotherCommand) {
  EXPECT_EQ(run(), StudyEnd::Finished);
  plan.units.back().words.emplace_back("--max-probes");
  EXPECT_EQ(count(UnitState::Ready), 1);
}

TEST_F(StudyRuns, GoOnAfterAKillWhichEndsTheCommandToo) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // the command becomes our child when its parent is gone
  program.write("slow", "");
  const pid_t study = start();
  wait_for_waiting(1);
  ::kill(study, SIGKILL);
  EXPECT_EQ(end_of(study), 128 + SIGKILL);
  const auto command = static_cast<pid_t>(std::stoi(program.lines("waiting").front()));
  EXPECT_EQ(end_of(command), 128 + SIGKILL);
  EXPECT_EQ(count(UnitState::Done), 0);
  program.remove("slow");
  EXPECT_EQ(run(), StudyEnd::Finished);
  EXPECT_EQ(count(UnitState::Done), 9);
  EXPECT_THAT(program.calls(), SizeIs(10)) << "the command that was killed runs again, and no other";
}

TEST_F(StudyRuns, StopOnNoticeWhenTheirCommandHas) {
  program.write("slow", "");
  const pid_t study = start(0, [] { install_notice_handlers(false); });
  wait_for_waiting(1);
  ::kill(study, SIGTERM);
  EXPECT_EQ(end_of(study), static_cast<int>(StudyEnd::Stopped));
  EXPECT_EQ(count(UnitState::Done) + count(UnitState::Failed), 0);
}

TEST_F(StudyRuns, AreSharedByProcesses) {
  StudyConfig config{.train = "/f/train", .unseen = "/f/unseen", .held_out = "/f/h", .pairs = "/f/p"};
  config.arms = {"real", "blur"};  // which need little of each other
  config.seeds = 2;
  plan = plan_study(config, {.people = 6, .images = 8});
  program.write("slow", "");
  const pid_t one = start(), other = start(0.5);
  wait_for_waiting(2);  // both are at work at the same time
  program.remove("slow");
  for (const pid_t process : {one, other}) {
    const int end = end_of(process);
    EXPECT_TRUE(end == static_cast<int>(StudyEnd::Finished) ||
                end == static_cast<int>(StudyEnd::LeftToOthers));
  }
  EXPECT_EQ(count(UnitState::Done), static_cast<long>(plan.units.size()));
  auto calls = program.calls();
  EXPECT_EQ(calls.size(), plan.units.size());
  EXPECT_EQ(std::set<std::string>(calls.begin(), calls.end()).size(), calls.size()) << "none ran twice";
}

TEST(ExitsOfUnits, AreJudgedAsSchedulersDo) {
  for (const int code : {2, 3, 65, 66, 67, 93, 127})
    EXPECT_EQ(judge_exit(code, false), UnitEnd::Failed) << code;
  for (const int code : {1, 75, 137, 205}) {
    EXPECT_EQ(judge_exit(code, false), UnitEnd::TryAgain) << code;
    EXPECT_EQ(judge_exit(code, true), UnitEnd::Stopped) << code;
  }
  EXPECT_EQ(judge_exit(76, false), UnitEnd::Stopped);
  EXPECT_EQ(judge_exit(0, true), UnitEnd::Done);
}

TEST(ChildEnvironment, HasNothingOfALauncherOrAStep) {
  EXPECT_THAT(child_environment({"PATH=/bin", "OMPI_COMM_WORLD_RANK=1", "OMPI_MCA_ess=x", "PMIX_RANK=1",
                                 "OMPI_ALLOW_RUN_AS_ROOT=1", "SLURM_PROCID=3", "SLURM_STEP_NUM_TASKS=4",
                                 "SLURM_JOB_ID=7", "LOCAL_RANK=0", "OMP_NUM_THREADS=2"}),
              ElementsAre("PATH=/bin", "OMPI_ALLOW_RUN_AS_ROOT=1", "SLURM_JOB_ID=7", "OMP_NUM_THREADS=2"));
  EXPECT_THAT(child_environment({"OMPI_MCA_btl_tcp_if_include=lo"}), ElementsAre(HasSubstr("btl_tcp")))
      << "the user's own settings, for a launcher of the command";
}

TEST(Children, ThatCannotBeStartedSaySo) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(
      run_child({.words = {(folder / "none").string()}, .folder = folder.path(), .log = folder / "log"}),
      FileError);
}

}  // namespace
}  // namespace facemae
