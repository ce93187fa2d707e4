#pragma once
// What people and the supervisor ask of a run through files in RUN (docs/FORMATS.md, "A run"): without signals, so it works
// under any launcher, from a container, and for everybody who may write there.
#include <cstdint>
#include <optional>
#include <string>

#include "core/files/files.h"

namespace facemae {

enum class Request { Stop, Save };
/// RUN/stop or RUN/save.
Path file_of(const Path& run, Request request);
/// Writes it, with time, user and host. Throws FileError.
void ask(FileSystem& files, const Path& run, Request request);
/// "2026-01-31T12:00:00Z me@login1" when it was asked for and stands, else nothing. Never throws: a file system that fails
/// for a moment asks for nothing.
std::optional<std::string> asked(const Path& run, Request request) noexcept;
/// RUN/end_time, in seconds since 1970: when the batch job ends, as slurm/supervise.sh heard it last. Never throws.
std::optional<std::int64_t> end_of_job(const Path& run) noexcept;

/// Rank 0, when a start begins. A person's start takes back what was asked of earlier ones; that of a supervisor
/// (FACEMAE_SUPERVISED=yes) does not: a stop that was asked for while it waited in the queue holds, and the supervisor
/// decides what a new job means.
void begin_requests(FileSystem& files, const Path& run, bool supervised);
bool started_by_supervisor();

}  // namespace facemae
