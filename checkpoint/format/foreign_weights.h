#pragma once
// Tells by their first bytes and names what files of weights are that are not read here, and how they become so.
// Nothing in them is executed or trusted.
#include <string>
#include <string_view>

#include "core/files/files.h"

namespace facemae {

/// "is a file of PyTorch (torch.save before 1.6). To read it here, convert it once:\n ..."; "" when the bytes are of no such kind.
/// `head`: the first 512 bytes, or all.
std::string foreign_weights(std::string_view head, const Path& path);
/// The same for the file itself, or for a folder that is not a run: "" when nothing is known of it or it cannot be read.
std::string foreign_weights(const Path& path);

}  // namespace facemae
