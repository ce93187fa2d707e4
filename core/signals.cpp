#include "core/signals.h"

#include <csignal>

namespace facemae {
namespace {
volatile std::sig_atomic_t notice = 0;
void note(int signal) { notice = signal; }
}  // namespace

void install_notice_handlers() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR2, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int notice_received() noexcept { return notice; }

}  // namespace facemae
