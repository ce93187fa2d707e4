#include "core/signals.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace facemae {
namespace {

constexpr int kNotices[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGHUP, SIGXCPU};

TEST(Notice, IsAFlagThatEverySignalOfAnEndSets) {
  install_notice_handlers(/*interrupt=*/false);
  EXPECT_EQ(notice_received(), 0);
  for (const int signal : kNotices) {
    std::raise(signal);
    EXPECT_EQ(notice_received(), signal);
    std::signal(signal, SIG_DFL);
  }
}

TEST(Notice, IsNotGivenByAHangUpThatNohupIgnores) {
  std::signal(SIGHUP, SIG_IGN);
  install_notice_handlers(/*interrupt=*/false);
  const int before = notice_received();
  std::raise(SIGHUP);
  EXPECT_EQ(notice_received(), before);
  for (const int signal : kNotices) std::signal(signal, SIG_DFL);
}

TEST(Notice, IsToldByTheNameOfItsSignal) {
  EXPECT_EQ(signal_name(SIGUSR1), "SIGUSR1");
  EXPECT_EQ(signal_name(999), "signal 999");
}

TEST(FailedWrites, AreErrorsOfTheCallNotTheEndOfTheProcess) {
  ignore_failed_writes();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
  const auto growing = [] {
    const rlimit limit{16, RLIM_INFINITY};
    std::FILE* file = std::tmpfile();
    if (file == nullptr || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) std::exit(1);
    const std::string text(17, 'x');
    const bool whole = ::write(::fileno(file), text.data(), text.size()) == 16;
    std::exit(whole && ::write(::fileno(file), "x", 1) == -1 && errno == EFBIG ? 0 : 1);
  };
  EXPECT_EXIT(growing(), testing::ExitedWithCode(0), "");
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGXFSZ, SIG_DFL);
}

TEST(FailedWrites, ToStdoutAreToldFromAReaderThatWentAway) {
  const auto with_stdout = [](int descriptor) {
    const int kept = ::dup(STDOUT_FILENO);
    ::dup2(descriptor, STDOUT_FILENO);
    const bool nobody = nobody_reads_stdout();
    ::dup2(kept, STDOUT_FILENO);
    ::close(kept);
    return nobody;
  };
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_FALSE(with_stdout(ends[1]));
  ::close(ends[0]);
  EXPECT_TRUE(with_stdout(ends[1]));
  const int full = ::open("/dev/full", O_WRONLY);
  EXPECT_FALSE(with_stdout(full)) << "a full disk is told";
  ::close(ends[1]);
  ::close(full);
}

TEST(Notice, AFirstInterruptIsAFlagAndASecondOneEndsTheProcess) {
  install_notice_handlers(/*interrupt=*/true);
  testing::internal::CaptureStderr();
  std::raise(SIGINT);
  EXPECT_EQ(notice_received(), SIGINT);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("again to end it at once"), std::string::npos);
  EXPECT_EXIT(std::raise(SIGINT), testing::KilledBySignal(SIGINT), "");
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace
}  // namespace facemae
