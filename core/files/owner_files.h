#pragma once
// Writes files that show real people so that only their owner can read them, whatever the umask says.
#include "core/files/files.h"

namespace facemae {

/// Like real_files(), but files get mode 0600 and new folders 0700; the mode of an existing file is
/// tightened, and a symbolic link in its place is never followed.
FileSystem& owner_files();

}  // namespace facemae
