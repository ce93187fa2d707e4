#include "trainer/study/host_share.h"

#include "core/files/folder_lock.h"
#include "core/text.h"

namespace facemae {

std::string gpu_of_rank(const std::optional<std::string>& visible, int count, int local_rank) {
  if (count <= 0) return "";
  const auto turn = static_cast<std::size_t>(local_rank % count);
  if (!visible) return std::to_string(turn);
  const auto names = split(*visible, ',');
  return turn < names.size() ? trim(names[turn]) : "";
}

std::string neighbour_on_cores(const Path& lock_file) {
  const auto process = FolderLock::owner_here(lock_file);
  if (!process || (cores_of_process(*process) & own_cores()).none()) return "";
  return FolderLock::owner(lock_file);
}

}  // namespace facemae
