#pragma once
// Where an output that the user named goes: to a file of its own, or into a pipe, a device or our own stdout.
#include "core/files/files.h"

namespace facemae {

/// The path at which a chain of links ends, even if nothing exists there. Throws FileError for a loop.
Path without_links(Path path);
/// STDOUT_FILENO or STDERR_FILENO if the path is what one of them writes to, else -1.
int own_stream(const Path& path);
/// True for a pipe, a device and our own streams, which are written into from front to back; false where a finished
/// file can take the name.
bool is_written_into(const Path& path);

}  // namespace facemae
