#pragma once
// What of its host a command of a study may use, where several starts run commands on one host at a time: threads of
// two trainings on the same cores wait for each other, and every process alone in the world takes the first GPU.
#include <optional>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/host.h"

namespace facemae {

struct HostShare {
  CoreMask cores;                        ///< to be bound to; none set: as we are
  std::vector<std::string> environment;  ///< "NAME=VALUE", in place of what we have
};

/// Pure. The GPU for commands of this rank as CUDA_VISIBLE_DEVICES names it: ranks of a host take turns. `visible`:
/// the variable's value, if it is set; `count`: the GPUs that this process sees. "" where there is none.
std::string gpu_of_rank(const std::optional<std::string>& visible, int count, int local_rank);

/// "process 7 on node3, ...": whoever holds this lock from this host, on some of our cores; "" for none.
std::string neighbour_on_cores(const Path& lock_file);

}  // namespace facemae
