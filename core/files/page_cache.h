#pragma once
// Whether reading back a file tells what the disk holds.
#include "core/files/files.h"

namespace facemae {

/// Says in the log, once for each kind of file system, when ReadableFile::forget() has no effect where `path`
/// lies, so that what is read back after writing it may come from memory.
void say_if_cache_stays(const Path& path);

}  // namespace facemae
