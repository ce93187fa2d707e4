#include "core/signals.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace facemae {
namespace {
volatile std::sig_atomic_t notice = 0;
void note(int signal) { notice = signal; }
void note_interrupt(int signal) {
  notice = signal;
  constexpr char kText[] =
      "\ninterrupted: this ends in order, a run with a commit; interrupt again to end it at once\n";
  if (::write(STDERR_FILENO, kText, sizeof kText - 1) < 0) return;  // nobody to tell
}

bool is_ignored(int signal) {
  struct sigaction present {};
  return sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}
}  // namespace

void install_notice_handlers(bool interrupt) {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGXCPU}) sigaction(signal, &action, nullptr);
  if (!is_ignored(SIGHUP)) sigaction(SIGHUP, &action, nullptr);
  if (!interrupt) return;
  action.sa_handler = note_interrupt;
  action.sa_flags |= SA_RESETHAND;  // a second one has its default effect
  sigaction(SIGINT, &action, nullptr);
}

int notice_received() noexcept { return notice; }

std::string signal_name(int signal) {
  constexpr std::pair<int, const char*> kNames[] = {{SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},
                                                    {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"},
                                                    {SIGTERM, "SIGTERM"}, {SIGXCPU, "SIGXCPU"}};
  for (const auto& [number, name] : kNames)
    if (number == signal) return name;
  return "signal " + std::to_string(signal);
}

void ignore_failed_writes() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

bool nobody_reads_stdout() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

}  // namespace facemae
