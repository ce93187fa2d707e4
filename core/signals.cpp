#include "core/signals.h"

#include <unistd.h>

#include <csignal>

namespace facemae {
namespace {
volatile std::sig_atomic_t notice = 0;
void note(int signal) { notice = signal; }
void note_interrupt(int signal) {
  notice = signal;
  constexpr char kText[] =
      "\ninterrupted: the run commits after this step and stops; interrupt again to end it at once\n";
  if (::write(STDERR_FILENO, kText, sizeof kText - 1) < 0) return;  // nobody to tell
}
}  // namespace

void install_notice_handlers(bool interrupt) {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR2, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  if (!interrupt) return;
  action.sa_handler = note_interrupt;
  action.sa_flags |= SA_RESETHAND;  // a second one has its default effect
  sigaction(SIGINT, &action, nullptr);
}

int notice_received() noexcept { return notice; }

}  // namespace facemae
