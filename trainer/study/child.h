#pragma once
// Runs a command of the program as a child process that is alone in the world, and hands notices on to it.
#include <string>
#include <vector>

#include "core/files/files.h"
#include "trainer/study/host_share.h"

namespace facemae {

struct ChildCommand {
  std::vector<std::string> words;  ///< program first; a path, or a name that PATH has
  Path folder;                     ///< that it works in
  Path log;                        ///< stdout and stderr are appended to it
  HostShare share = {};            ///< of this host
};

/// What a child gets of our environment: nothing of what a launcher or a Slurm step tells its processes, since the
/// child is a process of its own. `all`: "NAME=VALUE", and so is what it gets in their place, `instead`.
std::vector<std::string> child_environment(const std::vector<std::string>& all,
                                           const std::vector<std::string>& instead = {});
std::vector<std::string> own_environment();

/// Runs it to its end and returns its exit code, 128 + n when signal n ended it. It is a process group of its own, so
/// a Ctrl-C in the terminal does not reach it; a notice (core/signals.h) is handed on as SIGUSR2, at which trainings
/// commit and end with 76 and other commands just end; if we are killed, so is it. Throws FileError when the process
/// or the log cannot be made. From the main thread.
int run_child(const ChildCommand& command);

}  // namespace facemae
