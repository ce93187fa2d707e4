// Where this process stands in the trees of control groups, of version 1 and 2.
#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"
#include "core/text.h"

namespace facemae {

std::vector<Path> control_groups(const Machine& machine, const std::string& controller) {
  // Lines are "ID:CONTROLLERS:PATH"; version 2 has no controllers.
  std::string path;
  Path base;
  for (const auto& line : lines_of(machine.at("/proc/self/cgroup"))) {
    const auto parts = split(line, ':');
    if (parts.size() < 3) continue;
    const bool unified = parts[1].empty();
    bool named = false;
    for (const auto& name : split(parts[1], ',')) named = named || name == controller;
    if (!unified && !named) continue;
    const Path mount = machine.at(unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controller);
    if (unified && !base.empty()) continue;  // both versions are mounted: controllers are in version 1
    base = mount;
    path = parts[2];
    if (named) break;
  }
  std::vector<Path> found;
  if (base.empty()) return found;
  std::error_code unseen;
  // In a container the path may be that of the host, of which nothing is seen here.
  for (Path group = Path(path).relative_path(); !group.empty() && group != "."; group = group.parent_path())
    if (*group.begin() != ".." && std::filesystem::is_directory(base / group, unseen))
      found.push_back(base / group);
  if (std::filesystem::is_directory(base, unseen)) found.push_back(base);
  return found;
}

}  // namespace facemae
