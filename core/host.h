#pragma once
// Tells what this process may use of its host.
#include <bitset>
#include <cstdint>
#include <string>

namespace facemae {

/// Bit c: core c.
using CoreMask = std::bitset<1024>;
/// The cores that this thread may run on, from sched_getaffinity: what a launcher or cgroup has bound us to.
CoreMask own_cores();
/// Those of another process of this host; none when it has ended.
CoreMask cores_of_process(int process);
/// Binds the calling thread, and what it starts, to these cores. False when the system refuses. Safe after a fork.
bool bind_to_cores(const CoreMask& cores) noexcept;
/// The number of own_cores(), at least 1. Of them a rank has a share: Topology::cores.
int available_cores();
std::string host_name();
/// The rank that a launcher gave this process, by the variables of all launchers in use; 0 without a launcher.
int launched_rank();
/// The model name in /proc/cpuinfo, or "unknown".
std::string cpu_model();

/// Raises this process's limit of open files to `files`, as far as the hard limit allows.
void allow_open_files(std::uint64_t files);

/// Keeps freed memory in the process: tensors of tens of MiB come and go every step, and asking the system
/// for their pages anew each time costs more than a small convolution.
void keep_freed_memory();

}  // namespace facemae
