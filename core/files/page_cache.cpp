#include "core/files/page_cache.h"

#include <sys/vfs.h>

#include <mutex>
#include <set>

#include "core/log.h"

namespace facemae {
namespace {

/// File systems that keep what they are given in memory of their own, whatever posix_fadvise() asks for.
const char* name_of(long type) {
  switch (type) {
    case 0x01021994:
      return "tmpfs";
    case 0x858458F6:
      return "ramfs";
    case 0x2FC12FC1:
      return "ZFS";
    default:
      return nullptr;
  }
}

}  // namespace

void say_if_cache_stays(const Path& path) {
  struct statfs found {};
  if (::statfs(path.c_str(), &found) != 0) return;
  const long type = static_cast<long>(static_cast<unsigned long>(found.f_type) & 0xFFFFFFFFUL);
  const char* name = name_of(type);
  static std::mutex mutex;
  static std::set<long> said;
  const std::scoped_lock lock(mutex);
  if (name != nullptr && said.insert(type).second)
    spdlog::info(
        "{} is on {}, which answers reads from memory: reading it back does not prove that it reached a disk",
        path.string(), name);
}

}  // namespace facemae
