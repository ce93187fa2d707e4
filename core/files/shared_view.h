#pragma once
// Looks for what another host has written. Network file systems remember names and sizes for up to a
// minute, and ask the server again when the folder and the file are opened again: so this reopens both,
// and waits a while.
#include <chrono>
#include <string>
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// A file that must exist and have the length that its writer states.
struct ExpectedFile {
  std::string name;
  std::uint64_t bytes = 0;
};

/// Waits until this process sees all of `expected` in `folder`, for at most `patience`. Returns what is still
/// wrong then, one text for each file ("r00001.safetensors is not there"), or nothing when all are seen.
/// Never throws for what it sees.
std::vector<std::string> unseen_after(const Path& folder, const std::vector<ExpectedFile>& expected,
                                      std::chrono::milliseconds patience);

}  // namespace facemae
