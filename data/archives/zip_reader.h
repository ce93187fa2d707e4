#pragma once
// Reads zips with libzip: names as their bytes are, images in the order of the directory.
#include "data/archives/archive.h"
#include "data/archives/archive_file.h"

namespace facemae {

/// As open_archive(). The memory is that of the directory, some 300 bytes for a member.
std::unique_ptr<ArchiveReader> zip_reader(std::unique_ptr<ArchiveFile> file);

}  // namespace facemae
