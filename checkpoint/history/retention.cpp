#include "checkpoint/history/retention.h"

#include <algorithm>

#include "checkpoint/format/commit_record.h"
#include "checkpoint/format/patient_read.h"
#include "checkpoint/history/fences.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr int kVerifiedToDelete = 2;

std::string stamp_of(const Path& folder) {
  return fmt::format("{}\n", parse_commit(read_plain_file(folder / "COMMIT")).manifest_hash.hex());
}

/// Removes what is left of a folder: files, then the folder itself.
void remove_files(FileSystem& files, const Path& folder) {
  std::vector<Path> inside;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    inside.push_back(entry->path());
  if (error == std::errc::no_such_file_or_directory) return;
  if (error) throw FileError("listing " + folder.string() + ": " + error.message(), error.value());
  for (const auto& path : inside) {
    files.remove(path);
    failpoint("retention.file.removed");
  }
  files.remove(folder);
}

}  // namespace

std::vector<std::size_t> to_delete(const std::vector<RetainedCheckpoint>& newest_first,
                                   const RetentionPolicy& policy) {
  const auto sound = [](const RetainedCheckpoint& c) { return c.counts && c.verified; };
  const auto sound_made_after = [&](CheckpointId id) {
    return std::count_if(newest_first.begin(), newest_first.end(), [&](const RetainedCheckpoint& other) {
      return sound(other) && std::pair(other.id.start, other.id.step) > std::pair(id.start, id.step);
    });
  };
  const auto better = [](const RetainedCheckpoint* a, const RetainedCheckpoint& b) {
    return b.counts && b.metric && (a == nullptr || *b.metric > *a->metric);
  };
  const RetainedCheckpoint* best = nullptr;
  if (policy.best)
    for (const auto& checkpoint : newest_first)
      if (better(best, checkpoint)) best = &checkpoint;
  std::vector<std::size_t> gone;
  int newer = 0;  // that count
  std::ptrdiff_t newer_sound = 0;
  for (std::size_t i = 0; i < newest_first.size(); ++i) {
    const auto& checkpoint = newest_first[i];
    if (!checkpoint.counts) {
      if (sound_made_after(checkpoint.id) >= kVerifiedToDelete) gone.push_back(i);
      continue;
    }
    const bool kept = newer < policy.last || (policy.every > 0 && checkpoint.id.step % policy.every == 0) ||
                      &checkpoint == best;
    if (!kept && newer_sound >= kVerifiedToDelete) gone.push_back(i);
    ++newer;
    if (checkpoint.verified) ++newer_sound;
  }
  return gone;
}

std::vector<RetainedCheckpoint> survey(const Path& checkpoints, bool with_metrics) {
  std::vector<RetainedCheckpoint> found;
  const auto folders = list_checkpoints(checkpoints);
  const Lineage lineage = read_lineage(checkpoints, folders);
  for (const auto& folder : folders) {
    if (!folder.committed) continue;
    RetainedCheckpoint checkpoint{.id = folder.id,
                                  .counts = lineage.counts(folder.id),
                                  .verified = is_verified(folder.path),
                                  .metric = {}};
    if (with_metrics && checkpoint.counts) {
      try {
        checkpoint.metric = parse_manifest(valid_manifest_bytes(folder.path)).metric;
      } catch (const UnreadableCheckpoint&) {  // nobody can tell: it has no metric
      } catch (const CheckpointError&) {
        checkpoint.counts = false;
      }
    }
    found.push_back(checkpoint);
  }
  return found;
}

void stamp_verified(FileSystem& files, const Path& folder) {
  write_whole(files, folder / "VERIFIED", stamp_of(folder));  // lost or torn, it is not a stamp
}

bool is_verified(const Path& folder) {
  try {
    return read_plain_file(folder / "VERIFIED") == stamp_of(folder);
  } catch (const Error&) {
    return false;
  }
}

void remove_checkpoint(FileSystem& files, const Path& folder) {
  files.rename(folder / "COMMIT", folder / "COMMIT.retired");
  failpoint("retention.retired");
  files.sync_folder(folder);
  remove_files(files, folder);
}

void remove_debris(FileSystem& files, const Path& folder) {
  files.remove(folder / "COMMIT");
  remove_files(files, folder);
}

}  // namespace facemae
