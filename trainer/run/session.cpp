#include "trainer/run/session.h"

#include <ATen/Version.h>
#include <torch/torch.h>

#include <algorithm>
#include <optional>

#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "core/files/folder_lock.h"
#include "core/files/temporary_file.h"
#include "core/host.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/text.h"
#include "model/common/pixels.h"
#include "trainer/config/run_clock.h"
#include "trainer/exact/exact_step.h"
#include "trainer/input/feed.h"
#include "trainer/input/training_identities.h"
#include "trainer/input/training_store.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/loop.h"
#include "trainer/run/replica_check.h"
#include "trainer/run/resume.h"
#include "trainer/run/saves.h"
#include "trainer/run/watch.h"

namespace facemae {
namespace {

constexpr std::uint64_t kPictures = 8;
constexpr std::uint64_t kPictureOrdinals =
    1ULL << 62;  ///< ordinals that no training sample has: masks of the pictures

/// The faces of the sample pictures: a fixed choice of rows.
Faces picture_faces(const Store& store, std::uint64_t seed, torch::Device device) {
  const Permutation choice(store.size(), key_of(seed, Purpose::Samples));
  ByteBatch bytes;
  bytes.image = store.image_size();
  Decoder decoder;
  std::vector<std::byte> encoded;
  for (std::uint64_t i = 0; i < std::min(kPictures, store.size()); ++i) {
    try {
      store.read(choice(i), encoded);
      const Image image = decoder.decode(encoded);
      bytes.pixels.insert(bytes.pixels.end(), image.pixels.begin(), image.pixels.end());
      bytes.ordinals.push_back(kPictureOrdinals + i);
    } catch (const Error& error) {
      spdlog::warn("sample pictures go without row {}: {}", choice(i), error.what());
    }
  }
  Faces faces;
  faces.images = to_network_input(bytes.pixels, bytes.image, {}, device);
  faces.ordinals = bytes.ordinals;
  faces.rows_of_rank = {static_cast<std::int64_t>(bytes.ordinals.size())};
  return faces;
}

/// LibTorch's errors carry a stack trace, which is for a log.
std::string reason_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
}

}  // namespace

Outcome run_training(World& world, const RunConfig& given, const std::string& given_text,
                     const MakeTask& make_task) {
  Control& control = world.control();
  RunClock clock(given.max_hours, given.end_seconds());
  const int threads = given.exact         ? 1
                      : given.threads > 0 ? given.threads
                                          : std::max(1, available_cores() / world.topology().local_size);
  torch::set_num_threads(threads);
  if (given.exact) agree_on_kernels(control);

  together(control, [&] {
    if (control.is_root() && !given.run.empty()) RunFolder(given.run).refuse_a_file();
  });
  const auto data = open_training_store(world, given, given_text, shards_in_quarantine(given, control));
  const auto& store = data.store;
  const RunConfig& config = data.config;
  const std::uint64_t total = config.total_steps(store->size());
  std::unique_ptr<Task> task;
  torch::Tensor identities;
  const std::string init = has_begun(config, control) ? "" : config.init;
  together(control, [&] {
    task = make_task(*store, world, init);
    identities = training_identities(*store, init, data.people_key);
  });
  GradientBuckets gradients(task->parameters(), world.gradients());
  std::optional<SlotGradients> by_slot;
  if (config.exact) by_slot.emplace(gradients, config.exact_slots, world.gradients());
  Optimizer optimizer(config.optimizer, gradients, task->centres());
  Snapshot snapshot = snapshot_of(*task, optimizer, data, identities);
  if (!control.same_everywhere(hash_of(snapshot).hex() + task->kind()))
    throw AgreedError(
        "the ranks do not start from the same weights: did --init or --embedder change while they read it?",
        ExitCode::PeerLost, "DataError");
  if (config.dry_run) {
    print_dry_run(config, *store, snapshot, gradients, world, total);
    return {.code = ExitCode::Done, .kind = "dry-run", .reason = "", .step = 0};
  }

  RunFolder run(config.run);
  Outcome outcome;
  Fence fence;
  std::optional<FolderLock> lock;
  together(control, [&] {
    if (!control.is_root()) return;
    lock.emplace(
        config.run,
        LockConfig{
            .thing = "the run", .work = "training", .otherwise = "use another --run", .from_own_job = true});
  });
  require_shared(control, real_files(), config.run, "--run " + config.run);
  together(control, [&] {
    if (!control.is_root()) return;
    for (const Path& folder : {Path(config.run), Path(config.run) / "checkpoints" / "fence"})
      remove_temporaries(folder);
    fence = run.begin_start(control.size(), config.fresh);
  });
  outcome.start = static_cast<std::uint32_t>(std::stoul(control.broadcast(std::to_string(fence.start))));
  const auto watchdog = watch(world, run, config, outcome.start);
  try {
    together(control, [&] {
      if (control.is_root()) refuse_without_progress(run, config.max_idle_starts);
    });
    CheckpointStore checkpoints(config.run, control, real_files(), &world.batch());
    checkpoints.saver().keep({.last = config.keep, .every = config.keep_every, .best = config.keep_best});
    checkpoints.saver().max_failed_saves = config.max_failed_saves;
    RunState state;
    const std::uint64_t first =
        known_to_all([&] { return resume(checkpoints, snapshot, state, data, control); });
    outcome.step = outcome.first = outcome.reached = first;
    task->set_automatic_weight(state.automatic_weight);
    Faces pictures;
    together(control, [&] {
      if (!control.is_root()) return;
      run.decide(fence, checkpoints.restored());
      if (const auto restored = checkpoints.restored())
        checkpoints.saver().confirm(*restored, outcome.start, checkpoints.restored_in_full());
      run.write_config(data.config_text);
      run.cut_back(first);
      pictures = picture_faces(*store, config.seed, world.device());
    });

    Feed feed(data, world, first, state.quarantine);
    Observer observer(run,
                      {.log_every = config.log_every,
                       .batch = config.batch,
                       .store_images = store->size(),
                       .first_step = first,
                       .last_step = total,
                       .start = outcome.start},
                      world.batch(), world.device(), std::move(pictures));
    Saves saves(
        checkpoints.saver(), snapshot,
        [&](Snapshot& at, std::uint64_t done) {
          at.step = done;
          at.samples = done * config.batch;
          at.run_state = state.to_json();
          at.metric = observer.metric_of(done);
        },
        config.save_schedule(), control.is_root(), outcome.start, first, outcome.step);
    saves.still_here = [&] { watchdog->enter(Phase::Save); };
    ReplicaCheck replicas(snapshot, control, config.check_replicas);
    LoopParts parts{
        .task = *task,
        .next_faces = [&] { return feed.next(); },
        .data = [&] { return feed.figures(); },
        .shard_failed = [&] { return feed.shard_failed(); },
        .quarantine = [&](std::uint64_t done) { state.quarantine = feed.quarantine_failed(done); },
        .next_slots = [&] { return feed.next_slots(); },
        .gradients = gradients,
        .by_slot = by_slot ? &*by_slot : nullptr,
        .optimizer = optimizer,
        .control = control,
        .observer = observer,
        .watchdog = *watchdog,
        .evaluate = [&](std::uint64_t done) { observer.evaluate(done, *task, world); },
        .check_replicas =
            [&](std::uint64_t done, bool before_save) {
              const auto checking = watchdog->within(Phase::Save);
              if (!replicas.due(done, before_save)) return;
              gradients.check();  // a lost peer is no silent error of a processor
              replicas.compare(done);
            },
        .saves = saves,
        .out_of_time = [&] { return clock.out_of_time(saves.figures().seconds); },
        .reached = outcome.reached,
        .schedule = config.schedule_for(store->size()),
        .state = state,
        .batch = config.batch,
        .evaluate_every = config.eval_every,
        .micro_batches = config.accumulate,
        .max_skips = config.max_skips,
        .clip = config.clip,
        .stop_after = config.stop_after};
    if (config.stop_after && first >= *config.stop_after && first < total && control.is_root())
      spdlog::info("--stop-after {} is ignored: the run is at step {}", *config.stop_after, first);
    if (control.is_root())
      spdlog::info("{}: steps {} to {}, batch {} on {} rank(s) x {} thread(s), {} images, {} trained values",
                   task->kind(), first + 1, total, config.batch, control.size(), threads,
                   human_count(store->size()), human_count(trained_values(gradients)));
    const LoopEnd end = train(parts, first, total);
    watchdog->enter(Phase::Shutdown);
    observer.finish();
    outcome.code = end.stopped ? ExitCode::Stopped : ExitCode::Done;
    outcome.kind = end.stopped ? "stopped" : "done";
    outcome.reason = end.reason;
    if (control.is_root()) run.write_outcome(outcome);
    return outcome;
  } catch (const std::exception& error) {
    const auto* agreed = dynamic_cast<const AgreedError*>(&error);
    outcome.code = agreed != nullptr ? agreed->code() : exit_code_for(error);
    outcome.kind = agreed != nullptr ? agreed->kind() : kind_of(error);
    outcome.reason = reason_of(error);
    // Once a run has begun, a file that is gone is a storage's fault that may pass, and no
    // mistake of the user's.
    const bool of_storage = outcome.kind == "FileError" && outcome.code == ExitCode::BadConfiguration;
    if (of_storage) outcome.code = ExitCode::Crash;
    if (agreed == nullptr && outcome.code == ExitCode::PeerLost) {
      note_lost_peer(run, outcome, watchdog->inquire(outcome.reason), control.rank());
      throw;
    }
    run.write_exit(outcome, control.rank());
    if (agreed == nullptr || control.is_root()) {
      try {
        run.write_outcome(outcome);
      } catch (const std::exception& second) {
        spdlog::error("could not write the outcome: {}", second.what());
      }
    }
    if (of_storage && agreed != nullptr) throw AgreedError(outcome.reason, outcome.code, outcome.kind);
    if (of_storage) throw Error(outcome.reason);
    throw;
  }
}

}  // namespace facemae
