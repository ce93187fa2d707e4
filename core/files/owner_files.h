#pragma once
// Files that show real people: readable by their owner alone, whatever the umask says.
#include "core/files/files.h"

namespace facemae {

/// As real_files(), but files get mode 0600 and new folders 0700; what is there already in the place of a
/// file is tightened, and a symbolic link there is never followed.
FileSystem& owner_files();

}  // namespace facemae
