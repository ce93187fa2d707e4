// Whether the folders of a run are the same for all nodes.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "cluster/doctor/checks.h"
#include "cluster/facts/host_list.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

/// A folder as one node sees it.
struct Seen {
  const Facts* node;
  const FolderPlace* folder;
};
std::vector<Seen> folders_of(const Gathered& all, const std::string& role) {
  std::vector<Seen> seen;
  for (const auto& ranks : all.nodes())
    for (const auto& folder : ranks.front()->folders)
      if (folder.role == role) seen.push_back({ranks.front(), &folder});
  return seen;
}

bool is_network(const std::string& kind) {
  constexpr std::array kKinds = {"nfs",  "lustre", "gpfs", "beegfs",    "ceph",     "panfs", "wekafs",
                                 "cifs", "smb",    "9p",   "fuse.",     "orangefs", "pvfs",  "daos",
                                 "gfs",  "ocfs",   "afs",  "glusterfs", "virtiofs"};
  return std::any_of(kKinds.begin(), kKinds.end(),
                     [&](const char* beginning) { return kind.starts_with(beginning); });
}

/// The option of NFS that makes runs slow or unsafe, "" without one.
std::string odd_option(const FolderPlace& folder) {
  if (!folder.kind.starts_with("nfs")) return "";
  for (const auto& option : split(folder.options, ','))
    if (option == "noac" || option == "nolock" || option == "local_lock=all" || option == "soft" ||
        option.starts_with("vers=2") || option.starts_with("vers=3"))
      return option;
  return "";
}

/// "/scratch (lustre), /home (nfs4)": where else RUN could lie.
std::string shared_places(const Facts& node) {
  std::set<std::string> places;
  for (const auto& folder : node.folders)
    if (is_network(folder.kind)) places.insert(folder.mount + " (" + folder.kind + ")");
  return join({places.begin(), places.end()}, ", ");
}

std::string put_elsewhere(const Facts& node) {
  const std::string places = shared_places(node);
  return "put RUN on a file system that all nodes mount" + (places.empty() ? "" : "; here: " + places);
}

/// Do other checks tell that nodes have different folders there?
bool told_elsewhere(const std::vector<Seen>& seen, const std::string& role) {
  return std::any_of(seen.begin(), seen.end(), [&](const Seen& one) {
    return role == "run" ? !one.folder->unseen.empty() : !one.node->store.fault.empty();
  });
}

void judge_kind(const Gathered& all, Lines& lines) {
  for (const char* role : {"run", "store"}) {
    const auto seen = folders_of(all, role);
    if (told_elsewhere(seen, role)) continue;
    const bool is_run = std::string(role) == "run";
    std::map<std::string, std::vector<std::string>> kinds;
    for (const auto& [node, folder] : seen) {
      if (folder->kind.empty()) continue;
      kinds[folder->kind].push_back(node->host);
      if (const auto option = odd_option(*folder); !option.empty())
        lines.warn({node->host},
                   fmt::format("{} is mounted from {} with {}", folder->path, folder->source, option));
      const bool unproven = all.multi_node() && folder->seen < 0 && folder->fault.empty();
      if (is_run && unproven && !is_network(folder->kind))
        lines.problem({node->host},
                      fmt::format("{} lies on a disk of the node ({})", folder->path, folder->kind),
                      put_elsewhere(*node));
      else if (is_run && (folder->kind == "tmpfs" || folder->kind == "overlay" || folder->kind == "ramfs"))
        lines.warn(
            {node->host},
            fmt::format("{} lies on {}: it goes with the node or the container", folder->path, folder->kind),
            put_elsewhere(*node));
      else
        lines.ok(fmt::format("{} is on {}", folder->path, folder->kind));
    }
    if (kinds.size() < 2) continue;
    std::vector<std::string> named;
    named.reserve(kinds.size());
    for (const auto& [kind, hosts] : kinds) named.push_back(kind + " on " + fold_hosts(hosts));
    lines.warn(
        {},
        fmt::format("nodes have the folder of --{} on different file systems: {}", role, join(named, ", ")),
        "name a folder on a file system that all nodes mount alike");
  }
}

/// Nodes that see each other, the largest such group: the ones that are fine.
std::set<std::string> fine_nodes(const std::vector<Seen>& seen) {
  std::set<std::string> best;
  for (const auto& center : seen) {
    std::set<std::string> group;
    for (const auto& other : seen) {
      const auto blind = [](const Seen& one, const Seen& two) {
        return std::find(one.folder->unseen.begin(), one.folder->unseen.end(), two.node->host) !=
               one.folder->unseen.end();
      };
      if (!blind(center, other) && !blind(other, center)) group.insert(other.node->host);
    }
    if (group.size() > best.size()) best = group;
  }
  return best;
}

void judge_seen(const Gathered& all, Lines& lines) {
  constexpr double kSlow = 5;
  const auto seen = folders_of(all, "run");
  if (!all.multi_node() || seen.empty()) return;
  const auto fine = fine_nodes(seen);
  double longest = -1;
  for (const auto& [node, folder] : seen) {
    if (!folder->fault.empty()) continue;  // fs.sync tells
    longest = std::max(longest, folder->seen);
    if (fine.count(node->host) == 0) {
      auto& line = lines.problem({node->host},
                                 fmt::format("does not see what {} wrote into {}, or is not seen there",
                                             *fine.begin(), folder->looked_at),
                                 put_elsewhere(*node));
      line.of_node = fine.size() > 1;
    } else if (folder->seen > kSlow) {
      lines.warn({node->host}, fmt::format("sees what other nodes wrote into {} after {:.1f} s only",
                                           folder->looked_at, folder->seen));
    }
  }
  if (longest >= 0) lines.ok(fmt::format("all nodes see each other's files within {:.2f} s", longest));
}

void judge_locks(const Gathered& all, Lines& lines) {
  bool known = false;
  for (const auto& [node, folder] : folders_of(all, "run")) {
    known = known || !folder->lock_here.empty() || !folder->lock_there.empty();
    if (!folder->lock_here.empty() && folder->lock_here != "held")
      lines.warn(
          {node->host},
          fmt::format("{} cannot be locked ({}): a heartbeat tells whether a run is alive", folder->looked_at,
                      folder->lock_here == "free" ? "locks have no effect" : folder->lock_here));
    if (!folder->lock_there.empty() && folder->lock_there != "held")
      lines.warn(
          {},
          fmt::format(
              "locks in {} are not seen on other nodes: two jobs on one RUN are told by a heartbeat alone",
              folder->looked_at));
  }
  if (known) lines.ok("locks keep others out");
}

void judge_clock(const Gathered& all, Lines& lines) {
  for (const auto& [node, folder] : folders_of(all, "run")) {
    if (!folder->clock_known) continue;
    const double off = std::abs(folder->clock);
    const std::string text = fmt::format("its clock is {:.0f} s {} that of {}", off,
                                         folder->clock > 0 ? "behind" : "ahead of", folder->mount);
    Finding* line = off > 60  ? &lines.problem({node->host}, text)
                    : off > 2 ? &lines.warn({node->host}, text)
                              : nullptr;
    if (line == nullptr) lines.ok("clocks agree");
    if (line != nullptr) line->found = fmt::format("{:.0f} s", off), line->wanted = "2 s";
  }
}

constexpr std::array kFolderChecks = {
    Check{"fs.kind", "/proc/self/mountinfo for RUN and STORE", "a shared file system, on one node any disk",
          "NFS with noac, nolock, soft or version 2 or 3; memory or a container's layer; kinds that differ",
          "a disk of the node for RUN on several nodes, unless fs.seen shows that they share it",
          "ask for NFS 4.1 or newer without this option, or take another file system", false, true,
          judge_kind},
    Check{"fs.seen", "each node writes a file into RUN, all look for all of them", "within 5 s", "later",
          "not within 30 s (4 s with --quick)", "mount it with actimeo=3 or less", false, false, judge_seen},
    Check{"fs.locks", "a lock that one rank holds, tried again on its node and on the others",
          "held everywhere", "without effect or refused: a heartbeat stands in", "",
          "ask for the mount option: lustre flock, BeeGFS tuneUseGlobalFileLocks=true, NFS without nolock",
          false, false, judge_locks},
    Check{"fs.clock", "the time of a file just written against the node's clock", "within 2 s", "within 60 s",
          "more", "tell the administrator: chronyd or ntpd of the node", true, false, judge_clock},
};

}  // namespace

std::span<const Check> folder_checks() { return kFolderChecks; }

}  // namespace facemae
