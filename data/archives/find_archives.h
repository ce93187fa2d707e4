#pragma once
// Which archives a user means who names archives and folders of them.
#include <vector>

#include "data/archives/archive.h"

namespace facemae {

/// The archives that `given` names: files, or folders of which all archives below are taken, sorted by path,
/// through symbolic links too. An archive that is reached twice counts once. Hidden ones, macOS's "._" companions
/// and __MACOSX are left out; what is left out is logged, as are the number of archives and their size. Throws
/// ConfigError for a path that does not exist, a folder without archives, and what has an archive's name but is no
/// plain file (a dangling link, a pipe).
std::vector<Path> find_archives(const std::vector<Path>& given, ArchiveKind kind);

}  // namespace facemae
