#include "core/files/output_place.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace facemae {

Path without_links(Path path) {
  std::error_code unseen;
  for (int links = 0; std::filesystem::is_symlink(path, unseen); ++links) {
    if (links == 40)
      throw FileError("following the links of " + path.string() + ": " + std::strerror(ELOOP), ELOOP);
    path = path.parent_path() / std::filesystem::read_symlink(path, unseen);
  }
  return path;
}

int own_stream(const Path& path) {
  struct stat there {
  }, own{};
  if (::stat(path.c_str(), &there) != 0) return -1;
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    if (::fstat(stream, &own) == 0 && own.st_dev == there.st_dev && own.st_ino == there.st_ino) return stream;
  return -1;
}

bool is_written_into(const Path& path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0 || S_ISDIR(there.st_mode)) return false;
  return !S_ISREG(there.st_mode) || own_stream(path) >= 0;
}

}  // namespace facemae
