#pragma once
// SHA-256 of files, in the form that `sha256sum -c` checks.
#include <string>

#include "core/files/files.h"

namespace facemae {

/// 64 lower-case digits. Reads in pieces. Throws FileError.
std::string sha256_of(const Path& file);

/// "DIGEST  relative/path\n" of each file below `folder`, by path.
std::string sha256_sums(const Path& folder);

}  // namespace facemae
