#include "checkpoint/history/tidy.h"

#include <algorithm>
#include <functional>

#include "checkpoint/history/fences.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"

namespace facemae {
namespace {

void try_to(const char* what, const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    spdlog::warn("could not {}: {}", what, error.what());
  }
}

}  // namespace

std::vector<CheckpointId> apply_retention(FileSystem& files, const Path& checkpoints,
                                          const RetentionPolicy& policy,
                                          const std::vector<CheckpointId>& distrusted,
                                          std::optional<std::uint32_t> start) {
  auto found = survey(checkpoints, policy.best);
  for (auto& checkpoint : found)
    if (std::count(distrusted.begin(), distrusted.end(), checkpoint.id) > 0) checkpoint.counts = false;
  auto gone = to_delete(found, policy);
  std::reverse(gone.begin(), gone.end());
  std::vector<CheckpointId> removed;
  for (const std::size_t i : gone) {
    if (start && superseded(checkpoints, *start)) break;
    remove_checkpoint(files, checkpoints / folder_name(found[i].id));
    removed.push_back(found[i].id);
  }
  return removed;
}

void tidy(FileSystem& files, const Path& checkpoints, CheckpointId id, std::uint32_t start, bool verified,
          const RetentionPolicy& policy, const std::vector<CheckpointId>& distrusted) {
  if (superseded(checkpoints, start)) return;
  const Path folder = checkpoints / folder_name(id);
  if (verified)
    try_to("stamp a checkpoint as verified", [&] {
      for (const char* name : {"COMMIT", "MANIFEST.pb"}) {  // past what is cached
        const InputFile file(folder / name);
        file.forget(0, file.size());
      }
      valid_manifest_bytes(folder);
      stamp_verified(files, folder);
    });
  failpoint("save.stamped");
  try_to("write the hint LATEST",
         [&] { write_whole(files, checkpoints / "LATEST", folder_name(id) + "\n"); });
  try_to("remove unfinished checkpoints", [&] {
    for (const auto& found : list_checkpoints(checkpoints))
      if (!found.committed && found.id.start <= start && !superseded(checkpoints, start))
        remove_debris(files, found.path);
  });
  try_to("remove an old checkpoint", [&] { apply_retention(files, checkpoints, policy, distrusted, start); });
}

}  // namespace facemae
