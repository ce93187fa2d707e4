// What several processes find out about one folder: who is there, whose files are seen, what locks do.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <thread>

#include "cluster/facts/attendance.h"
#include "cluster/facts/host_list.h"
#include "cluster/facts/meeting.h"
#include "cluster/facts/reading.h"
#include "tests/unit/cluster/facts/fake_machine.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Attendance, NamesWhoHasNotComeAndWhoIsStopped) {
  FakeMachine fake;
  {
    const Attendance mine({.folder = fake.root(), .token = "t", .rank = 0, .host = "n1"});
    const Attendance second({.folder = fake.root(), .token = "t", .rank = 1, .host = "n2"});
    EXPECT_TRUE(mine.present());
    // Rank 2 left a sign, and has not touched it since.
    fake.file("/.shared-doctor-t/rank2", "n3\n");
    const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::seconds(20);
    std::filesystem::last_write_time(fake.root() / ".shared-doctor-t/rank2", old);
    const auto absent = mine.absent(4);
    ASSERT_EQ(absent.size(), 2U);
    EXPECT_EQ(absent[0].rank, 2);
    EXPECT_EQ(absent[0].host, "n3");
    EXPECT_EQ(absent[1].rank, 3);
    EXPECT_EQ(absent[1].host, "");
    EXPECT_THAT(mine.hosts(), ElementsAre("n1", "n2", "n3"));
    EXPECT_FALSE(second.closed());
    mine.remove();
    EXPECT_TRUE(second.closed()) << "the first has told";
  }
  EXPECT_TRUE(std::filesystem::is_empty(fake.root())) << "signs go with those who left them";
}

TEST(Attendance, IsNotThereWhereNothingCanBeWritten) {
  const Attendance nowhere({.folder = "/proc/none", .token = "t", .rank = 0, .host = "n1"});
  EXPECT_FALSE(nowhere.present());
}

TEST(Attendance, HasOneTokenForAllOfAStart) {
  FakeMachine fake;
  EXPECT_EQ(start_token(fake.machine.environment), "");
  fake.variables = {
      {"SLURM_JOB_ID", "7"}, {"SLURM_STEP_ID", "0"}, {"PMIX_NAMESPACE", "slurm.pmix/7"}, {"PMIX_RANK", "3"}};
  EXPECT_EQ(start_token(fake.machine.environment), "7.slurm.pmix_7");
}

FolderPlace run_folder() {
  FolderPlace folder;
  folder.role = "run";
  return folder;
}

TEST(Meeting, SeesFilesAndLocksOfNodesThatShare) {
  FakeMachine fake;
  const MeetingPlan plan{
      .folder = fake.root().string(), .token = "t", .neighbours = {{"n1", {}}, {"n2", {}}}};
  FolderPlace one = run_folder(), two = run_folder();
  {
    Meeting first(plan, 0), second(plan, 1);
    first.write();
    second.write();
    first.look(one, std::chrono::milliseconds(200));
    second.look(two, std::chrono::milliseconds(200));
  }
  EXPECT_GE(one.seen, 0);
  EXPECT_THAT(one.unseen, IsEmpty());
  EXPECT_EQ(one.lock_here, "held");
  EXPECT_EQ(two.lock_there, "held");
  EXPECT_TRUE(std::filesystem::is_empty(fake.root()));
}

TEST(Meeting, NamesNodesThatAreNotSeen) {
  FakeMachine fake;
  const MeetingPlan plan{
      .folder = fake.root().string(), .token = "t", .neighbours = {{"n1", {}}, {"n2", {}}, {"n3", {}}}};
  FolderPlace one = run_folder();
  {
    Meeting first(plan, 0), third(plan, 2);
    first.write();
    third.write();
    first.look(one, std::chrono::milliseconds(50));
    first.abandon();
  }
  EXPECT_EQ(one.seen, -1);
  EXPECT_THAT(one.unseen, ElementsAre("n2"));
  EXPECT_TRUE(std::filesystem::is_empty(fake.root()));
}

TEST(Meeting, TriesLocks) {
  FakeMachine fake;
  fake.file("/lock", "");
  EXPECT_EQ(try_held_lock(fake.root() / "lock"), "free");
  EXPECT_NE(try_held_lock(fake.root() / "none"), "held");
}

TEST(Probes, AreLeftBehindWhenTheyDoNotAnswer) {
  EXPECT_EQ(within<int>(std::chrono::seconds(10), [] { return 7; }), 7);
  auto gate = std::make_shared<std::promise<void>>();
  EXPECT_EQ(within<int>(std::chrono::milliseconds(20),
                        [gate] {
                          gate->get_future().wait();
                          return 7;
                        }),
            std::nullopt);
  gate->set_value();
  EXPECT_THROW(within<int>(std::chrono::seconds(10), []() -> int { throw std::runtime_error("failed"); }),
               std::runtime_error);
}

TEST(Calls, RunCommandsWithALimit) {
  const Calls calls = system_calls();
  EXPECT_EQ(calls.run({"sh", "-c", "echo out; echo err >&2"}, std::chrono::seconds(20)), "out\nerr\n");
  EXPECT_EQ(calls.run({"false"}, std::chrono::seconds(20)), std::nullopt);
  EXPECT_EQ(calls.run({"no-such-command-here"}, std::chrono::seconds(20)), std::nullopt);
  EXPECT_EQ(calls.run({"sleep", "60"}, std::chrono::seconds(1)), std::nullopt);
  EXPECT_TRUE(calls.space("/"));
  EXPECT_FALSE(calls.space("/no/such/folder"));
  EXPECT_EQ(calls.source_address("127.0.0.1"), "127.0.0.1");
  EXPECT_THAT(calls.resolve("localhost").addresses, testing::Contains("127.0.0.1"));
  EXPECT_NE(calls.resolve("no-such-host.invalid").fault, "");
}

TEST(HostList, FoldsAndUnfoldsNames) {
  EXPECT_EQ(fold_hosts({"n1", "n3", "n2", "n7", "login", "n2"}), "login,n[1-3,7]");
  EXPECT_EQ(fold_hosts({"n08", "n09", "n10"}), "n[08-10]");
  EXPECT_EQ(fold_hosts({"n9", "n10"}), "n[9-10]");
  EXPECT_EQ(fold_hosts({"r1-n1.site", "r1-n2.site"}), "r1-n[1-2].site");
  EXPECT_EQ(fold_hosts({"n4"}), "n4");
  EXPECT_EQ(fold_hosts({}), "");
  EXPECT_THAT(expand_hosts("n[1-3,7],login"), ElementsAre("n1", "n2", "n3", "n7", "login"));
  EXPECT_THAT(expand_hosts("n[08-10]"), ElementsAre("n08", "n09", "n10"));
  for (const char* wrong : {"", "n[1-", "n]1[", "n[a]", "n[1-99999999]"})
    EXPECT_THAT(expand_hosts(wrong), IsEmpty()) << wrong;
}

TEST(Reading, UnderstandsListsOfCores) {
  EXPECT_THAT(core_list("0-2,8"), ElementsAre(0, 1, 2, 8));
  EXPECT_THAT(core_list(""), IsEmpty());
  EXPECT_THAT(core_list("0-99999999"), IsEmpty());
  EXPECT_THAT(core_list("x"), IsEmpty());
  EXPECT_EQ(core_text({8, 0, 1, 2}), "0-2,8");
  EXPECT_EQ(value_in({"a: 1", "ab: 2"}, "ab"), "2");
}

}  // namespace
}  // namespace facemae
