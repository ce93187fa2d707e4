#pragma once
// Receives the notice to stop: handlers only set a flag, which the training loop checks between steps.
namespace facemae {

/// From now on USR2 and TERM set the notice flag instead of ending the process. With `interrupt`, so does a
/// first INT (Ctrl-C), for a process started alone; a second one ends the process at once.
void install_notice_handlers(bool interrupt);
/// The signal that gave notice, or 0.
int notice_received() noexcept;

}  // namespace facemae
