#include "data/store/checked_note.h"

#include <sys/stat.h>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

Path note_of(const Path& file) { return file.parent_path() / kCheckedFolder / file.filename(); }

/// "" if the file does not exist.
std::string state_of(const Path& file) {
  struct stat now {};
  if (::stat(file.c_str(), &now) != 0) return "";
  return fmt::format("inode {} changed {}.{:09} bytes {}\n", now.st_ino, now.st_mtim.tv_sec,
                     now.st_mtim.tv_nsec, now.st_size);
}

}  // namespace

bool is_checked(const Path& file) {
  const std::string state = state_of(file);
  const Path note = note_of(file);
  std::error_code unseen;
  if (state.empty() || !std::filesystem::exists(note, unseen)) return false;
  try {
    return read_plain_file(note) == state;
  } catch (const FileError&) {
    return false;  // it will be checked again
  }
}

void note_checked(FileSystem& files, const Path& file) {
  const Path note = note_of(file);
  make_folders(files, note.parent_path());
  write_durably(files, note, state_of(file));
}

}  // namespace facemae
