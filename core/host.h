#pragma once
// What this process may use of its host.
#include <string>

namespace facemae {

int available_cores();  ///< from sched_getaffinity: what a launcher or cgroup bound us to
std::string host_name();
/// The model name in /proc/cpuinfo, or "unknown".
std::string cpu_model();

}  // namespace facemae
