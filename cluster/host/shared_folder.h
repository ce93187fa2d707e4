#pragma once
// Proof that a folder is one and the same for all ranks, before anything that counts is written into it.
#include <chrono>
#include <string>

#include "cluster/host/control.h"
#include "core/files/files.h"

namespace facemae {

/// All ranks, same order. Rank 0 makes `folder`, every rank writes a file with a random name into it, every
/// rank must see rank 0's and rank 0 must see every rank's within `patience`; the files go again. Throws
/// AgreedError on all ranks (exit 2) otherwise, naming ranks and hosts; `said` is how the user named the
/// folder ("--run runs/a"). One rank alone shares with nobody: nothing is done.
void require_shared(Control& control, FileSystem& files, const Path& folder, const std::string& said,
                    std::chrono::milliseconds patience = std::chrono::seconds(10));

}  // namespace facemae
