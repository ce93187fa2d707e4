#pragma once
// Reads tars with libarchive, plain or compressed, and whatever tars follow in the same file.
#include "data/archives/archive.h"
#include "data/archives/archive_file.h"

namespace facemae {

/// As open_archive().
std::unique_ptr<ArchiveReader> tar_reader(std::unique_ptr<ArchiveFile> file);

}  // namespace facemae
