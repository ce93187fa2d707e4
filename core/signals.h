#pragma once
// Notice to stop: handlers only set a flag, the training loop looks at it at a step boundary.
namespace facemae {

/// From now on USR2 and TERM set the notice flag instead of ending the process. With `interrupt` so does a
/// first INT (Ctrl-C), for a process started alone; a second one ends it at once.
void install_notice_handlers(bool interrupt);
/// The signal that gave notice, or 0.
int notice_received() noexcept;

}  // namespace facemae
