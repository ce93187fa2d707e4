#pragma once
// Tells whether reading a file back shows what the disk holds.
#include "core/files/files.h"

namespace facemae {

/// Logs, once for each kind of file system, when ReadableFile::forget() has no effect where `path` lies, so
/// that what is read back after writing may come from memory.
void say_if_cache_stays(const Path& path);

}  // namespace facemae
