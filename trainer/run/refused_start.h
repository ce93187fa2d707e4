#pragma once
// The last word of a start that never began: the ranks could not have the devices that the run needs.
#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/files/files.h"

namespace facemae {

/// Rank 0, after MPI has ended. Claims a start of RUN and writes its outcome, so that a supervisor finds
/// there which host is to blame. Leaves a RUN alone that another job holds; never throws.
void note_refused_start(const Path& run, ExitCode code, const std::string& kind, const std::string& reason,
                        const Blame& blame = {}) noexcept;

}  // namespace facemae
