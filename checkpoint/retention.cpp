#include "checkpoint/retention.h"

#include <algorithm>

#include "core/error.h"

namespace facemae {

std::vector<std::size_t> to_delete(const std::vector<bool>& valid, int keep) {
  std::vector<std::size_t> gone;
  int kept = 0;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    if (kept >= std::max(keep, 2))
      gone.push_back(i);
    else if (valid[i])
      ++kept;
  }
  return gone;
}

void remove_checkpoint(FileSystem& files, const Path& folder) {
  files.rename(folder / "COMMIT", folder / "COMMIT.retired");
  files.sync_folder(folder);
  remove_debris(files, folder);
}

void remove_debris(FileSystem& files, const Path& folder) {
  files.remove(folder / "COMMIT");
  std::vector<Path> inside;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    inside.push_back(entry->path());
  if (error == std::errc::no_such_file_or_directory) return;
  if (error) throw FileError("listing " + folder.string() + ": " + error.message(), error.value());
  for (const auto& path : inside) files.remove(path);
  files.remove(folder);
}

}  // namespace facemae
