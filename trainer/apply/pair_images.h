#pragma once
// Finds the files that lists of pairs name, below a folder.
#include <vector>

#include "evaluation/formats/pair_list.h"

namespace facemae {

/// The files of `pairs.images`, in order. A path may have another picture's ending than its file, and Windows's
/// backslashes. Image 12 of person P, of LFW's lists, is P/P_0012.jpg, else the one picture of the folder P whose name
/// ends in 12 before the dot, with any zeros; without that folder it is P_0012.jpg, likewise. `list` is what messages
/// call the pairs. Throws ConfigError with the first five that are missing and their number, or when a number may be
/// several files; FileError.
std::vector<Path> files_of(const ListedPairs& pairs, const Path& folder, const Path& list);

}  // namespace facemae
