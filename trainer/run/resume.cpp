#include "trainer/run/resume.h"

#include <ATen/Version.h>
#include <torch/torch.h>

#include <algorithm>
#include <set>
#include <span>

#include "checkpoint/history/discover.h"
#include "checkpoint/history/fences.h"
#include "checkpoint/tensors/weights.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/input/training_identities.h"

namespace facemae {
namespace {

/// The class map, when the checkpoint is of another store: once it has been followed, the run
/// has the new classes.
std::optional<ClassMap> class_map_for(const CheckpointInfo& info, const Snapshot& into,
                                      const RunInput& input) {
  const std::string& file = input.config.class_map;
  if (file.empty() || into.by_class.empty()) return {};
  if (info.dataset_digest == input.digest) return {};
  return read_class_map(file, into.by_class.front().total);
}

void check_unchanged(const CheckpointInfo& info, const RunInput& input, bool mapped) {
  auto changes = result_changes(info.config, input.config_text);
  if (info.dataset_digest != input.digest && !mapped)
    changes.push_back("store: its digest was " + info.dataset_digest + ", is " + input.digest);
  if (changes.empty()) return;
  const std::string list = join(changes, "\n  ");
  // A step would mean other images: what was counted as seen, and the schedule, would be wrong.
  const bool other_batch = std::any_of(changes.begin(), changes.end(),
                                       [](const auto& change) { return change.starts_with("batch:"); });
  if (other_batch)
    throw AgreedError(
        "the run " + input.config.run + " was made with another global batch:\n  " + list +
            "\nSteps are counted in batches. Use the old --batch, or another --run with --init " +
            input.config.run + ".",
        ExitCode::BadConfiguration, "ConfigError");
  if (!input.config.allow_changes)
    throw AgreedError("the run " + input.config.run + " was made with other settings:\n  " + list +
                          "\nUse the old settings, another --run, --fresh, or --allow-changes.",
                      ExitCode::BadConfiguration, "ConfigError");
  spdlog::warn("resuming with changed settings:\n  {}", list);
}

/// All ranks. The configuration that the newest checkpoint of the run has, "" when there is none to go on from.
std::string config_of_run(const RunConfig& config, Control& control) {
  if (config.fresh) return "";
  try {
    const auto info = CheckpointStore(config.run, control, real_files()).newest();
    return info ? info->config : "";
  } catch (const Unresumable&) {  // the run says so once it has begun and can leave its outcome
    return "";
  }
}

}  // namespace

Snapshot snapshot_of(Task& task, Optimizer& optimizer, const ClassOptimizer& class_optimizer,
                     const RunInput& input, torch::Tensor identities) {
  Snapshot snapshot;
  task.state(snapshot);
  std::set<std::string> trained;
  for (const auto& parameter : task.parameters()) trained.insert("model." + parameter.name);
  for (auto& tensor : snapshot.replicated) tensor.steady = trained.contains(tensor.name);
  for (auto& tensor : snapshot.by_class) tensor.steady = true;
  const Classes classes = task.classes();
  optimizer.add_to(snapshot);
  class_optimizer.add_to(snapshot, classes.at);
  if (classes.centres.defined()) snapshot.virtual_shards = classes.virtual_shards;
  snapshot.replicated.push_back({kTrainingIdentities, std::move(identities), true});
  snapshot.config = input.config_text;
  snapshot.dataset_digest = input.digest;
  snapshot.model_hash = task.kind();
  return snapshot;
}

Snapshot alike_on_all_ranks(const Snapshot& snapshot, bool sharded) {
  Snapshot alike = snapshot;
  alike.by_class.clear();
  if (sharded)
    std::erase_if(alike.replicated, [](const ReplicatedTensor& tensor) {
      return tensor.name.starts_with("optimizer.") && tensor.name != "optimizer.steps";
    });
  return alike;
}

Hash128 hash_of(const Snapshot& snapshot) {
  Hasher hasher;
  for (const auto& tensor : snapshot.replicated) {
    const auto host = tensor.value.detach().to(torch::kCPU).contiguous();
    hasher.add({static_cast<const std::byte*>(host.data_ptr()), host.nbytes()});
  }
  return hasher.digest();
}

std::uint64_t resume(CheckpointStore& checkpoints, Snapshot& into, RunState& state, const RunInput& input,
                     Control& control) {
  std::vector<torch::Tensor> fresh;  // what new classes begin with, also after a damaged checkpoint was tried
  if (!input.config.class_map.empty())
    for (const auto& tensor : into.by_class) fresh.push_back(tensor.rows.detach().clone());
  while (const auto info = checkpoints.newest()) {
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      const torch::NoGradGuard no_grad;
      into.by_class[i].rows.detach().copy_(fresh[i]);
    }
    std::optional<ClassMap> map;
    together(control, [&] { map = class_map_for(*info, into, input); });
    if (!control.same_everywhere(map ? xxh128(std::as_bytes(std::span(*map))).hex() : ""))
      throw AgreedError("--class-map " + input.config.class_map +
                            " is not the same file on all ranks: put it where every node reads the same file",
                        ExitCode::BadConfiguration, "ConfigError");
    check_unchanged(*info, input, map.has_value());
    if (const auto corrupt =
            restore_with_identities(checkpoints, *info, into, input.people_key, map ? &*map : nullptr)) {
      if (control.is_root())
        spdlog::warn("checkpoint {} is corrupt, trying the one before: {}", info->folder.string(), *corrupt);
      continue;
    }
    state = RunState::from_json(info->run_state);
    if (control.is_root() && info->cpu != at::get_cpu_capability())
      spdlog::warn(
          "the run was computed with kernels for {}, this start uses those for {}: the last bits will differ",
          info->cpu, at::get_cpu_capability());
    if (control.is_root())
      spdlog::info("resumed from {} (step {}, {} images){}", info->folder.string(), info->step, info->samples,
                   map ? ", with the classes of --class-map" : "");
    return info->step;
  }
  return 0;
}

bool has_begun(const RunConfig& config, Control& control) {
  bool begun = false;
  together(control, [&] {
    const Path checkpoints = Path(config.run) / "checkpoints";
    if (!control.is_root() || config.fresh) return;
    const auto folders = list_checkpoints(checkpoints);
    const Lineage lineage = read_lineage(checkpoints, folders);
    begun = has_history(checkpoints, folders, [&](CheckpointId id) { return lineage.counts(id); });
  });
  return control.any_of(begun ? 1 : 0) != 0;
}

void refuse_without_progress(const RunFolder& run, int limit) {
  auto outcomes = run.outcomes();
  if (!outcomes.empty()) outcomes.pop_back();  // this start's own
  const int idle = idle_starts(outcomes);
  if (limit == 0 || idle < limit) return;
  std::string reasons;
  for (const auto& outcome : outcomes)
    if (outcome.reached > outcome.first) reasons = fmt::format("start {}: {}", outcome.start, outcome.reason);
  throw Unresumable(fmt::format(
      "the run {} makes no progress: {} starts in a row trained, committed nothing and failed; "
      "the last, {}. "
      "Mend the cause (if steps fail before the next save, save more often: --save-every), then start with --max-idle-starts 0",
      run.path().string(), idle, reasons));
}

void settle(Options& options, const RunConfig& config, Control& control,
            const std::function<void()>& choose) {
  together(control, [&] {
    if (control.is_root() && !config.run.empty()) RunFolder(config.run).refuse_a_file();
  });
  if (const auto begun = config_of_run(config, control); !begun.empty())
    options.go_on(begun);
  else
    choose();
}

std::vector<std::size_t> shards_in_quarantine(const RunConfig& config, Control& control) {
  std::vector<std::size_t> shards;
  if (config.fresh) return shards;
  try {
    if (const auto info = CheckpointStore(config.run, control, real_files()).newest())
      for (const auto& entry : RunState::from_json(info->run_state).quarantine) shards.push_back(entry.shard);
  } catch (const Unresumable&) {  // the run says so once it has begun and can leave its outcome
  }
  return shards;
}

}  // namespace facemae
