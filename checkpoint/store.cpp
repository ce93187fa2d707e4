#include "checkpoint/store.h"

#include <chrono>

#include "checkpoint/attempt.h"
#include "checkpoint/discover.h"
#include "checkpoint/restore.h"
#include "checkpoint/retention.h"
#include "checkpoint/save.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

CheckpointStore::CheckpointStore(Path run, Control& control, FileSystem& files)
    : run_(std::move(run)), checkpoints_(run_ / "checkpoints"), control_(control), files_(files) {}

/// Rank 0: makes the folder, after removing what earlier attempts left. Returns "committed" when there is
/// nothing to do.
std::string CheckpointStore::prepare(const Path& folder) {
  make_folders(files_, checkpoints_);
  for (const auto& found : list_checkpoints(checkpoints_)) {
    if (found.committed && found.path.filename() != folder.filename()) continue;
    if (found.committed) {
      valid_manifest_bytes(found.path);  // a bad one is never overwritten: the attempt fails with its reason
      return "committed";
    }
    try {
      remove_debris(files_, found.path);
    } catch (const FileError& error) {
      spdlog::warn("could not remove the unfinished checkpoint {}: {}", found.path.string(), error.what());
    }
  }
  files_.make_folder(folder);
  files_.sync_folder(checkpoints_);
  return "";
}

bool CheckpointStore::save(const Snapshot& snapshot, std::uint32_t start) {
  const auto began = std::chrono::steady_clock::now();
  const CheckpointId id{snapshot.step, start};
  const Path folder = checkpoints_ / folder_name(id);
  StateShape shape;
  const std::string misuse =
      attempt(control_, [&] { shape = shape_of(snapshot, control_.rank(), control_.size()); });
  if (!misuse.empty()) throw ConfigError(misuse);
  if (!control_.same_everywhere(fingerprint(snapshot, shape, start)))
    throw ConfigError("saving " + folder_name(id) +
                      ": the ranks do not hold tensors of equal names and shapes");

  std::string prepared, root;
  std::uint64_t bytes = 0;
  std::string failure = attempt(control_, [&] {
    if (control_.is_root()) prepared = prepare(folder);
  });
  if (failure.empty() && control_.broadcast(prepared) == "committed") return true;
  RankReport report;
  if (failure.empty())
    failure = attempt(control_, [&] {
      report = write_rank_file(files_, folder, snapshot, shape, control_.rank(), control_.size());
    });
  if (failure.empty()) {
    const auto reports = control_.gather(serialise(report));
    failure = attempt(control_, [&] {
      if (!control_.is_root()) return;
      const Manifest manifest = merge_reports(snapshot, shape, id, parent_, reports);
      commit(files_, checkpoints_, manifest);
      root = manifest.root.hex();
      for (const auto& file : manifest.files) bytes += file.bytes;
    });
  }
  if (!failure.empty()) {
    ++failed_in_row_;
    if (control_.is_root()) remove_failed(folder);
    if (failed_in_row_ >= max_failed_saves)
      throw Unresumable(
          fmt::format("{} saves in a row failed, the last of {}: {}; free space or repair {} and start again",
                      failed_in_row_, folder_name(id), failure, run_.string()));
    if (control_.is_root())
      spdlog::error("saving {} failed ({} in a row, {} end the run), training goes on: {}", folder_name(id),
                    failed_in_row_, max_failed_saves, failure);
    return false;
  }
  failed_in_row_ = 0;
  parent_ = id;
  if (control_.is_root()) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    spdlog::info("committed {}: {}, {}, root {}", folder.string(), human_bytes(bytes),
                 human_seconds(seconds.count()), root);
    after_commit(id);
  }
  return true;
}

void CheckpointStore::remove_failed(const Path& folder) {
  try {
    remove_debris(files_, folder);
  } catch (const std::exception& error) {
    spdlog::warn("could not remove the failed checkpoint {}, the next save tries again: {}", folder.string(),
                 error.what());
  }
}

/// Rank 0: LATEST and retention. The step is safe already, so nothing here may fail it.
void CheckpointStore::after_commit(CheckpointId id) {
  try {
    write_durably(files_, checkpoints_ / "LATEST", folder_name(id) + "\n");
  } catch (const std::exception& error) {
    spdlog::warn("could not write the hint LATEST: {}", error.what());
  }
  try {
    std::vector<CheckpointFolder> folders;
    std::vector<bool> valid;
    for (const auto& folder : list_checkpoints(checkpoints_)) {
      if (!folder.committed) continue;
      bool good = !bad_.contains(folder.path.filename());
      try {
        valid_manifest_bytes(folder.path);
      } catch (const CheckpointError&) {
        good = false;
      }
      folders.push_back(folder);
      valid.push_back(good);
    }
    for (const std::size_t gone : to_delete(valid, keep_)) remove_checkpoint(files_, folders[gone].path);
  } catch (const std::exception& error) {
    spdlog::warn("could not remove an old checkpoint in {}: {}", checkpoints_.string(), error.what());
  }
}

std::optional<CheckpointInfo> CheckpointStore::newest() {
  std::string folder, bytes, reasons;
  bool history = false;
  const std::string failure = attempt(control_, [&] {
    if (!control_.is_root()) return;
    const auto folders = list_checkpoints(checkpoints_);
    history = has_history(checkpoints_, folders);
    for (const auto& found : folders) {
      if (!found.committed) continue;
      const std::string name = found.path.filename();
      std::string reason;
      if (const auto bad = bad_.find(name); bad != bad_.end()) {
        reason = bad->second;
      } else {
        try {
          bytes = valid_manifest_bytes(found.path);
          folder = name;
          return;
        } catch (const CheckpointError& error) {
          reason = error.what();
          spdlog::warn("checkpoint {} does not count: {}", found.path.string(), reason);
        }
      }
      reasons += "\n  " + name + ": " + reason;
    }
  });
  if (!failure.empty())
    throw Unresumable("looking for checkpoints in " + checkpoints_.string() + ": " + failure);
  folder = control_.broadcast(folder);
  bytes = control_.broadcast(bytes);
  reasons = control_.broadcast(reasons);
  if (folder.empty()) {
    if (control_.any_of(history ? 1 : 0) == 0) return {};
    throw Unresumable("the run " + run_.string() +
                      " has history but no valid checkpoint; start it with --fresh, or repair:" +
                      (reasons.empty() ? "\n  HISTORY names checkpoints, no COMMIT is left" : reasons));
  }
  const Manifest manifest = parse_manifest(bytes);
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& tensor : manifest.tensors)
    if (!tensor.by_class) shapes[tensor.name] = tensor.shape;
  return CheckpointInfo{.step = manifest.id.step,
                        .start = manifest.id.start,
                        .folder = checkpoints_ / folder,
                        .samples = manifest.samples,
                        .world = manifest.world,
                        .config = manifest.config,
                        .run_state = manifest.run_state,
                        .model_hash = manifest.model_hash,
                        .dataset_digest = manifest.dataset_digest,
                        .root_hash = manifest.root.hex(),
                        .cpu = manifest.cpu,
                        .shapes = std::move(shapes)};
}

std::optional<std::string> CheckpointStore::restore(const CheckpointInfo& info, Snapshot& into) {
  const std::string name = info.folder.filename();
  if (!control_.all_agree(info.model_hash == into.model_hash))
    throw ConfigError(
        fmt::format("{} is a checkpoint of another model: it holds {}, this run trains {}; use another --run",
                    info.folder.string(), info.model_hash, into.model_hash));
  std::string bytes, reason;
  Manifest manifest;
  reason = attempt(control_, [&] {
    if (control_.is_root()) bytes = valid_manifest_bytes(info.folder);
  });
  if (reason.empty()) {
    bytes = control_.broadcast(bytes);
    StateShape shape;
    const std::string misfit = attempt(control_, [&] {
      manifest = parse_manifest(bytes);
      shape = shape_of(into, control_.rank(), control_.size());
      const auto faults = differences(manifest, shape, into.virtual_shards);
      if (!faults.empty()) throw ConfigError(join(faults, "; "));
    });
    if (!misfit.empty())
      throw ConfigError("the checkpoint " + info.folder.string() +
                        " does not fit what is being trained: " + misfit);
    RankReport report;
    reason = attempt(control_, [&] {
      report = read_into(info.folder, manifest, into, shape, control_.rank(), control_.size());
    });
    if (reason.empty()) {
      const auto reports = control_.gather(serialise(report));
      reason = attempt(control_, [&] {
        if (control_.is_root() && root_of_memory(manifest, reports) != manifest.root)
          throw CheckpointError("the root of what is in memory is not that of the checkpoint");
      });
    }
  }
  if (!reason.empty()) {
    bad_[name] = reason;
    return reason;
  }
  into.step = manifest.id.step;
  into.samples = manifest.samples;
  into.run_state = manifest.run_state;
  parent_ = manifest.id;
  return {};
}

}  // namespace facemae
