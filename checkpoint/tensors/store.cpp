#include "checkpoint/tensors/store.h"

#include "checkpoint/format/finite.h"
#include "checkpoint/format/patient_read.h"
#include "checkpoint/history/discover.h"
#include "checkpoint/history/fences.h"
#include "checkpoint/tensors/restore.h"
#include "checkpoint/tensors/state.h"
#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

namespace {

/// Checks this rank's part. Earlier versions of this program also committed states that had diverged.
void require_finite(const Snapshot& state) {
  std::vector<std::string> names;
  for (const auto& tensor : state.replicated)
    if (!all_finite(tensor.value)) names.push_back(tensor.name);
  for (const auto& tensor : state.by_class)
    if (!all_finite(tensor.rows)) names.push_back(tensor.name);
  if (!names.empty())
    throw CheckpointError("it holds values that are not finite (" + first_of(names) +
                          "): the run had diverged");
}

}  // namespace

CheckpointStore::CheckpointStore(Path run, Control& control, FileSystem& files, Communicator* tensors)
    : run_(std::move(run)),
      checkpoints_(run_ / "checkpoints"),
      control_(control),
      tensors_(tensors),
      saver_(checkpoints_, control, files, tensors != nullptr ? side_stream(tensors->device()) : nullptr) {}

bool CheckpointStore::save(const Snapshot& snapshot, std::uint32_t start) {
  const bool committed = saver_.save(snapshot, start);
  saver_.settle();
  return committed;
}

std::optional<CheckpointInfo> CheckpointStore::newest() {
  std::string folder, bytes, reasons;
  bool history = false;
  const std::string failure = attempt(control_, [&] {
    if (!control_.is_root()) return;
    const auto folders = list_checkpoints(checkpoints_);
    const Lineage lineage = read_lineage(checkpoints_, folders);
    history = has_history(checkpoints_, folders, [&](CheckpointId id) { return lineage.counts(id); });
    for (const auto& found : folders) {
      if (!found.committed || !lineage.counts(found.id)) continue;
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
          unread_ = unread_ || dynamic_cast<const UnreadableCheckpoint*>(&error) != nullptr;
          spdlog::warn("skipping checkpoint {}: {}", found.path.string(), reason);
        }
      }
      reasons += "\n  " + name + ": " + reason;
    }
  });
  if (!failure.empty())
    throw AgreedError("looking for checkpoints in " + checkpoints_.string() + ": " + failure,
                      ExitCode::PeerLost, "FileError");
  folder = control_.broadcast(folder);
  bytes = control_.broadcast(bytes);
  reasons = control_.broadcast(reasons);
  if (folder.empty()) {
    if (control_.any_of(history ? 1 : 0) == 0) return {};
    if (control_.any_of(unread_ ? 1 : 0) != 0)
      throw AgreedError("no checkpoint of " + run_.string() +
                            " can be read now; run the same command again once the storage works:" + reasons,
                        ExitCode::PeerLost, "FileError");
    throw Unresumable("the run " + run_.string() +
                      " has a history but no valid checkpoint; start it with --fresh, or repair it:" +
                      (reasons.empty() ? "\n  HISTORY names checkpoints, but no COMMIT is left" : reasons));
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

std::optional<std::string> CheckpointStore::restore(const CheckpointInfo& info, Snapshot& into,
                                                    const ClassMap* map) {
  const std::string name = info.folder.filename();
  // With other classes the model's name differs; any other difference shows in the shapes.
  if (!control_.all_agree(map != nullptr || info.model_hash == into.model_hash))
    throw ConfigError(fmt::format(
        "{} is a checkpoint of another model: it holds {}, but this run trains {}; use another --run",
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
      const auto faults = differences(manifest, shape, into.virtual_shards, map != nullptr);
      if (!faults.empty()) throw ConfigError(join(faults, "; "));
      for (const auto& tensor : shape.by_class)
        if (map != nullptr) check_class_map(*map, manifest.find(tensor.name)->shape.at(0));
    });
    if (!misfit.empty())
      throw ConfigError(
          "the checkpoint " + info.folder.string() + " does not fit what is being trained: " + misfit +
          "\nUse the settings that it was made with, or begin another --run with its weights, --init " +
          run_.string());
    RankReport report;
    Snapshot plain;
    reason = attempt(control_, [&] {
      failpoint("load.begin");
      plain = plain_tensors_for(into);
      try {
        read_own(info.folder, manifest, plain, shape, control_.rank(), control_.size(), tensors_, map);
      } catch (const UnreadableCheckpoint&) {
        unread_ = true;
        throw;
      }
    });
    if (reason.empty() && tensors_ != nullptr) exchange_replicated(plain, shape, *tensors_);
    if (reason.empty())
      reason = attempt(control_, [&] {
        failpoint("load.read");
        take_over(plain, into);
        plain = {};
        report = check_memory(manifest, into, shape, control_.rank(), map != nullptr);
        require_finite(into);
      });
    if (reason.empty() && map == nullptr) {
      const auto reports = control_.gather(serialise(report));
      reason = attempt(control_, [&] {
        if (control_.is_root() && root_of_memory(manifest, reports) != manifest.root)
          throw CheckpointError("the root of what is in memory is not that of the checkpoint");
      });
    }
  }
  if (!reason.empty()) {
    bad_[name] = reason;
    saver_.distrust({info.step, info.start});
    return reason;
  }
  into.step = manifest.id.step;
  into.samples = manifest.samples;
  into.run_state = manifest.run_state;
  in_full_ = map == nullptr;
  restored_ = manifest.id;
  saver_.continue_from(manifest.id);
  return {};
}

}  // namespace facemae
