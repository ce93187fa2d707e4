// On what a folder lies: mount, room, age of its files, stripes.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr int kLooked = 256;  ///< files of a folder whose age is looked at

bool is_below(const std::string& path, const std::string& mount) {
  return mount == "/" || path == mount || path.starts_with(mount + "/");
}

/// "36 35 98:0 /root /mount rw,noatime shared:1 - ext4 /dev/sda rw": the longest mount above the folder, the last
/// mounted of equal ones.
void find_mount(const Machine& machine, FolderPlace& folder) {
  for (const auto& line : lines_of(machine.at("/proc/self/mountinfo"))) {
    const auto words = split(line, ' ');
    const auto hyphen = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - hyphen < 4) continue;
    if (!is_below(folder.looked_at, words[4]) || words[4].size() < folder.mount.size()) continue;
    folder.mount = words[4];
    folder.kind = *(hyphen + 1);
    folder.source = *(hyphen + 2);
    folder.options = words[5] + "," + *(hyphen + 3);
  }
}

/// lustre.lov: magic, pattern, object (16 bytes), stripe size, stripe count as 16 bits at byte 28 (lustre_user.h).
int stripes_of(const std::string& attribute) {
  constexpr std::size_t kAt = 28;
  constexpr std::uint32_t kPlain = 0x0BD10BD0, kPooled = 0x0BD30BD0;
  std::uint32_t magic = 0;
  std::uint16_t count = 0;
  if (attribute.size() < kAt + 2) return -1;
  std::memcpy(&magic, attribute.data(), sizeof magic);
  if (magic != kPlain && magic != kPooled) return -1;  // a layout of several parts
  std::memcpy(&count, attribute.data() + kAt, sizeof count);
  return count;
}

/// Age of the file that was neither changed nor read for longest, and stripes of the largest one.
void look_at_files(const Machine& machine, FolderPlace& folder) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::int64_t largest = -1;
  Path of_largest;
  int looked = 0;
  std::error_code unseen;
  for (std::filesystem::recursive_directory_iterator
           entry(folder.path, std::filesystem::directory_options::skip_permission_denied, unseen),
       end;
       !unseen && entry != end && looked < kLooked; entry.increment(unseen)) {
    struct stat facts {};
    if (::lstat(entry->path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    ++looked;
    folder.age =
        std::max(folder.age, static_cast<double>(now - std::max(facts.st_mtime, facts.st_atime)) / 86400);
    if (facts.st_size > largest) largest = facts.st_size, of_largest = entry->path();
  }
  if (folder.kind == "lustre" && largest >= 0)
    folder.stripes = stripes_of(machine.calls.attribute(of_largest, "lustre.lov"));
}

}  // namespace

Path nearest_folder(const Path& path) {
  std::error_code unseen;
  Path there = std::filesystem::absolute(path, unseen).lexically_normal();
  while (!there.empty() && !std::filesystem::exists(there, unseen) && there != there.root_path())
    there = there.parent_path();
  if (!std::filesystem::is_directory(there, unseen)) there = there.parent_path();
  const Path real = std::filesystem::canonical(there, unseen);
  return unseen ? there : real;
}

void probe_mount(const Machine& machine, FolderPlace& folder) {
  folder.looked_at = nearest_folder(folder.path).string();
  find_mount(machine, folder);
  const auto space = machine.calls.space(folder.looked_at);
  if (!space) {
    folder.fault = "its file system does not answer";
    return;
  }
  folder.free = space->free;
  folder.inodes = space->inodes;
  if (folder.role == "run" || folder.role == "store") look_at_files(machine, folder);
}

}  // namespace facemae
