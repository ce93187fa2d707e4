#pragma once
// Tells what this process may use of its host.
#include <cstdint>
#include <string>

namespace facemae {

int available_cores();  ///< from sched_getaffinity: what a launcher or cgroup has bound us to
std::string host_name();
/// The rank that a launcher gave this process (OMPI_COMM_WORLD_RANK or PMIX_RANK); 0 without a launcher.
int launched_rank();
/// The model name in /proc/cpuinfo, or "unknown".
std::string cpu_model();

/// Raises this process's limit of open files to `files`, as far as the hard limit allows.
void allow_open_files(std::uint64_t files);

/// Keeps freed memory in the process: tensors of tens of MiB come and go every step, and asking the system
/// for their pages anew each time costs more than a small convolution.
void keep_freed_memory();

}  // namespace facemae
