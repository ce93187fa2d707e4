#pragma once
// Keeps notes beside copies which say that every byte of a file has been read and was right.
#include "core/files/files.h"

namespace facemae {

inline constexpr const char* kCheckedFolder = ".checked";

/// FOLDER/.checked/NAME records in which state (inode, time of its last change, size) FOLDER/NAME was found
/// to be good. False when there is no such note, or the file has changed since.
bool is_checked(const Path& file);
/// Throws FileError.
void note_checked(FileSystem& files, const Path& file);

}  // namespace facemae
