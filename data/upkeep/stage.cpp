#include "data/upkeep/stage.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/hdf5/seal.h"
#include "data/store/checked_copy.h"
#include "data/store/checked_note.h"
#include "data/store/manifest_chain.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

/// A pipe or a folder in a file's place does not count.
bool is_file(const Path& path) {
  std::error_code unseen;
  return fs::is_regular_file(path, unseen);
}
bool has_seal(const Path& path, const Seal& seal) {
  if (!is_file(path)) return false;
  try {
    return read_seal(InputFile(path)) == seal;
  } catch (const DataError&) {
    return false;  // damaged: it is copied again
  }
}
bool is_finished_copy(const Path& from, const Path& to) {
  return is_file(to) && is_file(from) && has_seal(to, read_seal(InputFile(from)));
}
bool is_finished_copy(const Path& to_folder, const Companion& companion) {
  const Path path = to_folder / companion.file;
  if (!is_file(path)) return false;
  const InputFile file(path);
  return file.size() == companion.bytes && digest_of_file(file) == companion.digest;
}

/// A seal is also right over a hole, which two copies into one file can leave: so what has not been checked
/// is read once. `check` throws if it is damaged.
template <class Check>
bool is_good_copy(FileSystem& files, const Path& copy, Check check) {
  if (is_checked(copy)) return true;
  try {
    check();
  } catch (const Error& error) {
    spdlog::warn("{} is damaged, copying it again: {}", copy.string(), error.what());
    return false;
  }
  note_checked(files, copy);
  return true;
}

void require_free_for(const Path& to, const StoreManifest& manifest) {
  if (!fs::exists(to / kManifestName)) return;
  Hash128 there;
  try {
    there = read_manifest(to).dataset_digest;
  } catch (const DataError&) {
    return;  // damaged: it is copied again
  }
  if (there != manifest.dataset_digest)
    throw ConfigError("staging to " + to.string() + ": another store is there (digest " + there.hex() +
                      "); remove it or choose another --to");
}

Path folder_name(const Path& store) { return fs::weakly_canonical(store).filename(); }

std::uint64_t bytes_missing(const StagePlan::Part& part) {
  std::uint64_t bytes = 0;
  for (const auto& shard : part.manifest.shards) {
    const Path from = part.from / shard.file;
    if (!is_file(from))
      throw DataError("staging " + part.from.string() + ": " + shard.file +
                      " is missing; restore it with `facemae store verify --repair-from`");
    if (!is_finished_copy(from, part.to / shard.file)) bytes += fs::file_size(from);
  }
  for (const auto& companion : part.manifest.companions)
    if (!fs::exists(part.to / companion.file)) bytes += companion.bytes;
  return bytes;
}

}  // namespace

StageResult stage_shard(FileSystem& files, const Path& from_folder, const ShardInfo& info,
                        const Path& to_folder, const std::stop_token& stop) {
  const Path from = from_folder / info.file;
  const Seal seal = read_seal(InputFile(from));
  const Path copy = to_folder / info.file;
  if (has_seal(copy, seal) && is_good_copy(files, copy, [&] { check_shard(to_folder, info); }))
    return {.bytes = seal.file_bytes, .copied = false};
  const std::uint64_t bytes = copy_shard(files, from_folder, info, to_folder, stop);
  if (bytes > 0) note_checked(files, copy);
  return {.bytes = bytes, .copied = bytes > 0};
}

namespace {

std::vector<StagePlan::Part> parts_of(const Path& store, const Path& to) {
  std::vector<StagePlan::Part> parts;
  std::vector<Path> names;
  for (auto& [folder, manifest] : manifest_chain(store)) {
    Path name = folder_name(folder);
    while (std::find(names.begin(), names.end(), name) != names.end()) name += "-parent";
    names.push_back(name);
    parts.insert(parts.begin(), {folder, to / name, std::move(manifest)});
  }
  for (const auto& part : parts)
    if (fs::weakly_canonical(part.from) == fs::weakly_canonical(part.to))
      throw ConfigError("staging " + part.from.string() + " to " + to.string() +
                        ": it is there already; choose another --to");
  return parts;
}

}  // namespace

std::vector<Path> stage_targets(const Path& store, const Path& to) {
  std::vector<Path> targets;
  for (const auto& part : parts_of(store, to)) targets.push_back(part.to);
  return targets;
}

StagePlan plan_stage(FileSystem& files, const Path& store, const Path& to) {
  StagePlan plan{.parts = parts_of(store, to)};
  make_folders(files, to);
  for (const auto& part : plan.parts) {
    require_free_for(part.to, part.manifest);
    make_folders(files, part.to);
    plan.missing_bytes += bytes_missing(part);
  }
  if (const std::uint64_t free = fs::space(to).available; free < plan.missing_bytes)
    throw ConfigError("staging " + store.string() + " to " + to.string() + ": " +
                      human_bytes(plan.missing_bytes) + " are needed and " + human_bytes(free) +
                      " are free; choose another disk or free some space");
  return plan;
}

StageCount stage_shards(FileSystem& files, const StagePlan& plan, int rank, int ranks, bool show_progress) {
  const auto& part = plan.parts.front();
  std::vector<ShardInfo> mine;
  for (std::size_t i = 0; i < part.manifest.shards.size(); ++i)
    if (static_cast<int>(i % static_cast<std::size_t>(ranks)) == rank)
      mine.push_back(part.manifest.shards[i]);
  StageCount count;
  std::uint64_t mib = 0;
  for (const auto& shard : mine) mib += shard.bytes >> 20;
  Progress progress("staging", mib, "MiB", show_progress);
  for (const auto& shard : mine) {
    const StageResult result = stage_shard(files, part.from, shard, part.to);
    ++(result.copied ? count.copied_files : count.found_files);
    if (result.copied) count.copied_bytes += result.bytes;
    progress.advance(shard.bytes >> 20, shard.file);
  }
  progress.finish();
  return count;
}

StageCount finish_stage(FileSystem& files, const StagePlan& plan) {
  StageCount count;
  const auto note = [&](std::uint64_t copied_bytes) {
    ++(copied_bytes > 0 ? count.copied_files : count.found_files);
    count.copied_bytes += copied_bytes;
  };
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const auto& part = plan.parts[i];
    StoreManifest manifest = part.manifest;
    for (const auto& companion : manifest.companions) {
      // The view's parent lies elsewhere now, which manifest.json says, too.
      if (manifest.kind == StoreManifest::Kind::View && companion.file == kReadableName) continue;
      const Path copy = part.to / companion.file;
      const bool there = companion.file.ends_with(".h5")
                             ? is_finished_copy(part.from / companion.file, copy) &&
                                   is_good_copy(files, copy, [&] { check_sealed_file(copy); })
                             : is_finished_copy(part.to, companion);
      note(there ? 0 : copy_companion(files, part.from, companion, part.to));
    }
    if (manifest.kind == StoreManifest::Kind::View) {
      manifest.parent = (Path("..") / plan.parts[i - 1].to.filename()).generic_string();
      if (!fs::exists(part.to / kManifestName) || read_manifest(part.to).parent != manifest.parent) {
        write_manifest_head(files, part.to, manifest);
        note(fs::file_size(part.to / kManifestName));
      } else {
        note(0);
      }
    } else {
      const Path from = part.from / kManifestName, copy = part.to / kManifestName;
      const bool there =
          is_finished_copy(from, copy) && is_good_copy(files, copy, [&] { check_sealed_file(copy); });
      note(there ? 0 : copy_sealed_file(files, from, copy));
    }
  }
  return count;
}

}  // namespace facemae
