#pragma once
// Receives the notice to stop: handlers only set a flag, which the training loop checks between steps. Signals that
// would end the process for what a call can report become errors of that call.
#include <string>

namespace facemae {

/// From now on the signals by which systems announce an end (USR1, USR2, TERM, HUP, XCPU) set the notice flag instead
/// of ending the process; HUP stays ignored where it was (nohup). With `interrupt`, so does a first INT (Ctrl-C), for
/// a process started alone; a second one ends the process at once.
void install_notice_handlers(bool interrupt);
/// The signal that gave notice, or 0.
int notice_received() noexcept;
/// "SIGUSR2", or "signal 77" for one without a name.
std::string signal_name(int signal);

/// A reader that went away (PIPE: `facemae ... | head`) and a file that grew to its limit (XFSZ: `ulimit -f`) no longer
/// end the process: writing fails by EPIPE or EFBIG instead.
void ignore_failed_writes();
/// stdout is a pipe or socket whose reader is gone: who closed it wants nothing more.
bool nobody_reads_stdout();

}  // namespace facemae
