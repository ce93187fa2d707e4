// What a step pays for the stop file, the save file, the end of the job and the run's clock: next to nothing, and no
// system call.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "core/clock.h"
#include "tests/sanitizers.h"
#include "tests/temporary_folder.h"
#include "trainer/config/run_clock.h"
#include "trainer/files/requests.h"
#include "trainer/watch/request_watch.h"

namespace facemae {
namespace {

using Clock = std::chrono::steady_clock;

/// A run of a batch job that ends in an hour, as rank 0 sees it.
struct StepCost : testing::Test {
  StepCost() {
    std::ofstream(run / "end_time") << epoch_seconds() + 3600 << "\n";
    watch = std::make_unique<RequestWatch>(run.path());
    while (!watch->end()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (int i = 0; i < 2000; ++i) asked += ask();  // the clock keeps its newest thousand steps
  }
  bool ask() { return watch->stop() || watch->save() || clock.out_of_time(1, 0.5, watch->end()); }

  const test::TemporaryFolder run;
  std::unique_ptr<RequestWatch> watch;
  RunClock clock{100, std::nullopt};
  int asked = 0;
};

/// What ended a child that may make no system call but its last: 0, its signal, or -1 where that cannot be forbidden.
template <class Work>
int ends_with(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    sock_filter rules[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    const sock_fprog filter{.len = std::size(rules), .filter = rules};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
      ::_exit(1);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) == 0 ? 0 : -1;
}

TEST_F(StepCost, IsLessThanAThousandthOfAShortStep) {
  constexpr int steps = 200'000;
  const auto begun = Clock::now();
  for (int i = 0; i < steps; ++i) asked += ask();
  const double microseconds = std::chrono::duration<double, std::micro>(Clock::now() - begun).count() / steps;
  EXPECT_EQ(asked, 0);
  EXPECT_LT(microseconds, 50) << "0.1 % of 50 ms";
  RecordProperty("microseconds", std::to_string(microseconds));
}

TEST_F(StepCost, IsNoSystemCall) {
  if (test::kAddressSanitizer || test::kThreadSanitizer)
    GTEST_SKIP() << "sanitizers make system calls of their own";
  if (ends_with([] { Clock::now(); }) != 0)
    GTEST_SKIP() << "no seccomp here, or reading the clock is a system call";
  ASSERT_EQ(ends_with([] { ::getpid(); }), SIGSYS) << "a system call is noticed";
  EXPECT_EQ(ends_with([&] {  // past a second, when the clock judges anew
              for (const auto begun = Clock::now(); Clock::now() - begun < std::chrono::milliseconds(1300);)
                asked += ask();
            }),
            0);
}

}  // namespace
}  // namespace facemae
