// Whether the folders of a run take and give what it needs.
#include <algorithm>
#include <array>

#include "cluster/doctor/checks.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

std::string size_text(std::int64_t bytes) {
  return human_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, bytes)));
}

template <class Use>
void for_folders(const Gathered& all, const std::string& role, Use use) {
  for (const auto& ranks : all.nodes())
    for (const auto& folder : ranks.front()->folders)
      if (folder.role == role) use(*ranks.front(), folder);
}

void judge_sync(const Gathered& all, Lines& lines) {
  constexpr double kSlow = 2;
  for_folders(all, "run", [&](const Facts& node, const FolderPlace& folder) {
    if (!folder.fault.empty()) {
      lines.problem({node.host}, fmt::format("{} cannot be written into: {}", folder.path, folder.fault));
    } else if (folder.sync_p99 > kSlow) {
      auto& line = lines.warn(
          {node.host},
          fmt::format("a small durable file in {} takes up to {:.1f} s", folder.looked_at, folder.sync_p99),
          "put RUN on faster storage, or save less often (--save-minutes)");
      line.found = fmt::format("{:.1f} s", folder.sync_p99);
      line.wanted = "2 s";
    } else if (folder.sync_p99 >= 0) {
      lines.ok(
          fmt::format("a small durable file in {} takes {:.1f} ms", folder.looked_at, folder.sync_p50 * 1e3));
    }
  });
}

void judge_direct(const Gathered& all, Lines& lines) {
  for_folders(all, "run", [&](const Facts&, const FolderPlace& folder) {
    if (folder.direct == 1) lines.ok("reads past the page cache work");
    if (folder.direct == 0)
      lines.note(fmt::format("{} has no reads past the page cache: checkpoints are verified through it",
                             folder.looked_at));
  });
}

/// Room for checkpoints of RUN, or for small ones where it has none yet.
void judge_room_of_run(const Gathered& all, Lines& lines) {
  constexpr std::int64_t kFewFiles = 10'000, kNoFiles = 100;
  const std::int64_t checkpoint = all.first().run.checkpoint;
  const std::int64_t enough = checkpoint > 0 ? 20 * checkpoint : 5 * kGiB,
                     least = checkpoint > 0 ? 4 * checkpoint : kGiB;
  for_folders(all, "run", [&](const Facts& node, const FolderPlace& folder) {
    if (folder.free >= 0) {
      const std::string text =
          fmt::format("{} has room for {}{}", folder.mount, size_text(folder.free),
                      checkpoint > 0 ? ", a checkpoint takes " + size_text(checkpoint) : "");
      Finding* line = folder.free < least    ? &lines.problem({node.host}, text)
                      : folder.free < enough ? &lines.warn({node.host}, text)
                                             : nullptr;
      if (line == nullptr) lines.ok(text);
      if (line != nullptr) line->found = size_text(folder.free), line->wanted = size_text(enough);
    }
    if (folder.inodes < 0 || folder.inodes > kFewFiles) return;
    const std::string text = fmt::format("{} takes only {} more files", folder.mount, folder.inodes);
    folder.inodes < kNoFiles ? lines.problem({node.host}, text) : lines.warn({node.host}, text);
  });
}

void judge_stripes(const Gathered& all, Lines& lines) {
  for_folders(all, "store", [&](const Facts&, const FolderPlace& folder) {
    if (folder.stripes < 0) return;
    if (folder.stripes > 1 || all.first().store.largest <= 4 * kGiB)
      return lines.ok(fmt::format("{} stripe(s)", folder.stripes));
    lines.warn({},
               fmt::format("shards of {} in {} lie on one server each, which all ranks read from",
                           size_text(all.first().store.largest), folder.path),
               fmt::format("lfs migrate -c 4 {}/shards/*", folder.path));
  });
}

/// Only where files are deleted when they get old: parallel file systems for scratch.
void judge_age(const Gathered& all, Lines& lines) {
  constexpr double kOld = 20;
  for (const char* role : {"store", "run"})
    for_folders(all, role, [&](const Facts&, const FolderPlace& folder) {
      const bool scratch =
          folder.kind == "lustre" || folder.kind == "gpfs" || folder.kind.starts_with("beegfs");
      if (!scratch || folder.age < 0) return;
      const std::string text =
          fmt::format("files in {} were not touched for {:.0f} days", folder.path, folder.age);
      if (folder.age <= kOld) return lines.ok(text);
      lines.warn({}, text + ": sites delete such files",
                 fmt::format("find {} -type f -exec head -c 1 {{}} + >/dev/null", folder.path));
    });
}

void judge_store(const Gathered& all, Lines& lines) {
  std::size_t asked = 0;
  for (const auto& ranks : all.nodes()) {
    const auto& store = ranks.front()->store;
    if (store.fault.empty() && store.digest.empty()) continue;
    ++asked;
    if (!store.fault.empty()) {
      lines.problem({ranks.front()->host}, store.fault);
    } else if (store.digest != all.first().store.digest && !all.first().store.digest.empty()) {
      lines.problem({ranks.front()->host}, fmt::format("has another store there than {}", all.first().host));
    }
  }
  if (asked > 0 && all.first().store.fault.empty())
    lines.ok(fmt::format("{} shard(s), {}", all.first().store.shards, size_text(all.first().store.bytes)));
}

bool goes_over_network(const std::string& kind) {
  return kind.starts_with("nfs") || kind == "lustre" || kind == "gpfs" || kind.starts_with("beegfs") ||
         kind == "ceph" || kind == "cifs";
}

void judge_local(const Gathered& all, Lines& lines) {
  for_folders(all, "local", [&](const Facts& node, const FolderPlace& folder) {
    const std::int64_t bytes = all.first().store.bytes;
    if (!folder.fault.empty()) {
      lines.problem({node.host}, fmt::format("{} cannot be written into: {}", folder.path, folder.fault));
    } else if (goes_over_network(folder.kind)) {
      lines.warn({node.host}, fmt::format("{} is no disk of the node ({})", folder.path, folder.kind),
                 "name a folder on a disk of the node, or leave --local-dir out");
    } else if (bytes >= 0 && folder.free >= 0 && folder.free < bytes) {
      auto& line = lines.warn({node.host}, fmt::format("{} has room for {}, the store has {}", folder.path,
                                                       size_text(folder.free), size_text(bytes)));
      line.found = size_text(folder.free);
      line.wanted = size_text(bytes);
    } else {
      lines.ok(fmt::format("{} has room for {}", folder.path, size_text(folder.free)));
    }
  });
}

constexpr std::array kStorageChecks = {
    Check{"fs.sync", "small files in RUN: write, fsync, rename, fsync of the folder", "within 2 s",
          "up to more than 2 s", "it fails",
          "name a RUN on a file system that you may write into, with room and quota", true, true, judge_sync},
    Check{"fs.direct", "a read of RUN with O_DIRECT", "works; a note where it does not", "", "", "", false,
          false, judge_direct},
    Check{"fs.room", "statvfs of RUN against its newest checkpoint, or 1 GiB and 5 GiB where there is none",
          "20 checkpoints or 5 GiB", "less, or room for fewer than 10,000 files",
          "less than 4 checkpoints or 1 GiB, or room for fewer than 100 files",
          "make room (facemae checkpoint prune), or name a RUN elsewhere", false, false, judge_room_of_run},
    Check{"fs.stripes", "lustre.lov of the largest shard", "several stripes, or shards up to 4 GiB",
          "one stripe for larger ones", "", "lfs migrate -c 4 STORE/shards/*", false, true, judge_stripes},
    Check{"fs.age", "the oldest file of STORE and RUN on scratch file systems", "20 days", "older", "",
          "read the files, or copy them to a place that is kept", false, false, judge_age},
    Check{"store.readable", "the manifest and the seal of each shard, on every node", "all", "",
          "not on all nodes",
          "name a finished store on a file system that all nodes mount: facemae store verify STORE", true,
          false, judge_store},
    Check{"local.room", "room and kind of --local-dir", "a disk of the node with room for the store",
          "less room, or a network's disk", "it cannot be written into",
          "name a larger disk, or train without --data-mode replica", true, true, judge_local},
};

}  // namespace

std::span<const Check> storage_checks() { return kStorageChecks; }

}  // namespace facemae
