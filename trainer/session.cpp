#include "trainer/session.h"

#include <ATen/Version.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>

#include "checkpoint/discover.h"
#include "checkpoint/store.h"
#include "checkpoint/weights.h"
#include "cluster/agree.h"
#include "cluster/plan.h"
#include "core/host.h"
#include "core/keys.h"
#include "core/log.h"
#include "core/signals.h"
#include "core/text.h"
#include "model/pixels.h"
#include "trainer/dry_run.h"
#include "trainer/loop.h"
#include "trainer/pinned_memory.h"
#include "trainer/run_lock.h"
#include "trainer/training_identities.h"

namespace facemae {
namespace {

constexpr std::uint64_t kPictures = 8;
constexpr std::uint64_t kPictureOrdinals =
    1ULL << 62;  ///< ordinals that no training sample has: masks of the pictures

std::shared_ptr<const Store> open_store(World& world, const RunConfig& config) {
  std::shared_ptr<const Store> store;
  together(world.control(), [&] {
    store = Store::open(config.store);
    if (store->size() == 0) throw DataError("the store " + config.store + " has no images");
    const auto ranks = static_cast<std::uint64_t>(world.topology().size);
    if (config.batch / static_cast<std::uint64_t>(config.accumulate) < ranks)
      throw ConfigError(fmt::format(
          "--batch {} in {} micro-batch(es) leaves some of the {} ranks without an image: raise --batch, "
          "lower --accumulate or use fewer ranks",
          config.batch, config.accumulate, ranks));
  });
  return store;
}

LoaderConfig loader_config(const RunConfig& config, std::pmr::memory_resource* pixel_memory) {
  return {.threads = config.workers,
          .ahead = 2 + config.accumulate,
          .sample = {.format = config.decode == "yuv420" ? PixelFormat::Yuv420 : PixelFormat::Rgb,
                     .augment = config.augment,
                     .seed = config.seed},
          .max_bad_fraction = config.max_bad_fraction,
          .block_bytes = static_cast<std::size_t>(config.block_cache_mib) << 20,
          .give_up_after = std::chrono::duration<double>(config.peer_deadline),
          .pixel_memory = pixel_memory};
}

void agree_on_plan(World& world, const Store& store, const std::string& config_text) {
  std::vector<PlannedShard> shards;
  for (const auto& shard : store.shards()) shards.push_back({shard.file, shard.images, shard.bytes, 0});
  const auto plan = plan_shards(std::move(shards), store.dataset_digest().hex(), world.topology().nodes, 0);
  publish(plan, world.control());
  if (!world.control().same_everywhere(config_text + FACEMAE_VERSION))
    throw AgreedError(
        "the ranks do not have the same configuration or version: start them all with the same command",
        ExitCode::BadConfiguration, "ConfigError");
}

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

void check_unchanged(const CheckpointInfo& info, const RunConfig& config, const std::string& config_text,
                     const Store& store) {
  auto changes = result_changes(info.config, config_text);
  if (info.dataset_digest != store.dataset_digest().hex())
    changes.push_back("store: its digest was " + info.dataset_digest + ", is " +
                      store.dataset_digest().hex());
  if (changes.empty()) return;
  const std::string list = join(changes, "\n  ");
  // A step would mean other images: what was counted as seen, and the schedule, would be wrong.
  const bool other_batch = std::any_of(changes.begin(), changes.end(),
                                       [](const auto& change) { return change.starts_with("batch:"); });
  if (other_batch)
    throw AgreedError("the run " + config.run + " was made with another global batch:\n  " + list +
                          "\nSteps are counted in it. Use the old --batch, or another --run with --init " +
                          config.run + ".",
                      ExitCode::BadConfiguration, "ConfigError");
  if (!config.allow_changes)
    throw AgreedError("the run " + config.run + " was made with other settings:\n  " + list +
                          "\nUse the old settings, another --run, --fresh, or --allow-changes.",
                      ExitCode::BadConfiguration, "ConfigError");
  spdlog::warn("resuming with changed settings:\n  {}", list);
}

/// Adds everything that a checkpoint holds, as references.
Snapshot snapshot_of(Task& task, Optimizer& optimizer, const std::string& config_text, const Store& store,
                     torch::Tensor identities) {
  Snapshot snapshot;
  task.add_to(snapshot);
  const bool has_centres = task.centres().defined();
  const ClassTensor centres = has_centres ? task.centres_at() : ClassTensor{};
  optimizer.add_to(snapshot, has_centres ? &centres : nullptr);
  if (has_centres) snapshot.virtual_shards = task.virtual_shards();
  snapshot.replicated.push_back({kTrainingIdentities, std::move(identities)});
  snapshot.config = config_text;
  snapshot.dataset_digest = store.dataset_digest().hex();
  snapshot.model_hash = task.kind();
  return snapshot;
}

/// Of all replicated tensors: what every rank must have alike.
Hash128 hash_of(const Snapshot& snapshot) {
  Hasher hasher;
  for (const auto& tensor : snapshot.replicated) {
    const auto host = tensor.value.detach().to(torch::kCPU).contiguous();
    hasher.add({static_cast<const std::byte*>(host.data_ptr()), host.nbytes()});
  }
  return hasher.digest();
}

/// Has the run committed something already? Then it needs no initial weights any more.
bool has_begun(const RunConfig& config, Control& control) {
  bool begun = false;
  together(control, [&] {
    const Path checkpoints = Path(config.run) / "checkpoints";
    begun = control.is_root() && !config.fresh && has_history(checkpoints, list_checkpoints(checkpoints));
  });
  return control.any_of(begun ? 1 : 0) != 0;
}

/// LibTorch's errors carry a stack trace, which is for a log.
std::string reason_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
}

/// Checkpoints throw these on all ranks together.
template <class Call>
auto known_to_all(Call&& call) {
  try {
    return call();
  } catch (const ConfigError& error) {
    throw AgreedError(error.what(), ExitCode::BadConfiguration, "ConfigError");
  } catch (const Unresumable& error) {
    throw AgreedError(error.what(), ExitCode::DoNotRequeue, "Unresumable");
  }
}

/// Starts from the newest valid checkpoint; returns the steps done.
std::uint64_t resume(CheckpointStore& checkpoints, Snapshot& into, RunState& state, const RunConfig& config,
                     const std::string& config_text, const Store& store, Control& control) {
  while (const auto info = checkpoints.newest()) {
    check_unchanged(*info, config, config_text, store);
    if (const auto corrupt = restore_with_identities(checkpoints, *info, into)) {
      if (control.is_root())
        spdlog::warn("checkpoint {} is corrupt, trying the one before: {}", info->folder.string(), *corrupt);
      continue;
    }
    state = RunState::from_json(info->run_state);
    if (control.is_root())
      spdlog::info("resumed from {} (step {}, {} images)", info->folder.string(), info->step, info->samples);
    return info->step;
  }
  return 0;
}

}  // namespace

Outcome run_training(World& world, const RunConfig& config, const std::string& config_text,
                     const MakeTask& make_task) {
  Control& control = world.control();
  const auto began = std::chrono::steady_clock::now();
  const int threads =
      config.threads > 0 ? config.threads : std::max(1, available_cores() / world.topology().local_size);
  torch::set_num_threads(threads);

  const auto store = open_store(world, config);
  agree_on_plan(world, *store, config_text);
  const std::uint64_t total = config.total_steps(store->size());
  std::unique_ptr<Task> task;
  torch::Tensor identities;
  const std::string init = has_begun(config, control) ? "" : config.init;
  together(control, [&] {
    task = make_task(*store, world, init);
    identities = training_identities(*store, init);
  });
  GradientBuckets gradients(task->parameters(), world.gradients());
  Optimizer optimizer(config.optimizer, gradients, task->centres());
  Snapshot snapshot = snapshot_of(*task, optimizer, config_text, *store, identities);
  if (!control.same_everywhere(hash_of(snapshot).hex()))
    throw AgreedError("the ranks do not start from the same weights: did --init change while they read it?",
                      ExitCode::PeerLost, "DataError");
  if (config.dry_run) {
    print_dry_run(config, *store, snapshot, gradients, world, total);
    return {.code = ExitCode::Done, .kind = "dry-run", .reason = "", .step = 0};
  }

  RunFolder run(config.run);
  Outcome outcome;
  std::optional<RunLock> lock;
  together(control, [&] {
    if (!control.is_root()) return;
    lock.emplace(config.run);
    outcome.start = run.begin_start(control.size(), config.fresh);
  });
  outcome.start = static_cast<std::uint32_t>(std::stoul(control.broadcast(std::to_string(outcome.start))));
  try {
    CheckpointStore checkpoints(config.run, control, real_files());
    checkpoints.keep_last(config.keep);
    RunState state;
    const std::uint64_t first = known_to_all(
        [&] { return resume(checkpoints, snapshot, state, config, config_text, *store, control); });
    outcome.step = first;
    task->set_automatic_weight(state.automatic_weight);
    Faces pictures;
    together(control, [&] {
      if (!control.is_root()) return;
      run.write_config(config_text);
      run.cut_back(first);
      pictures = picture_faces(*store, config.seed, world.device());
    });

    const BatchPlan plan{
        .global_batch = config.batch, .micro_batches = config.accumulate, .world = control.size()};
    const auto pixel_memory = world.device().is_cuda() ? std::make_unique<PinnedMemory>() : nullptr;
    Loader loader(store, Order(store->size(), config.seed), plan, control.rank(), first,
                  loader_config(config, pixel_memory.get()));
    std::unique_ptr<ByteBatch> bytes;
    Observer observer(run,
                      {.log_every = config.log_every,
                       .batch = config.batch,
                       .store_images = store->size(),
                       .first_step = first,
                       .last_step = total,
                       .start = outcome.start},
                      world.batch(), world.device(), std::move(pictures));
    LoopParts parts{
        .task = *task,
        .next_faces =
            [&] {
              bytes = loader.next(std::move(bytes));
              return to_faces(*bytes, plan, config.seed, config.flip, world.device());
            },
        .data = [&] { return loader.figures(); },
        .gradients = gradients,
        .optimizer = optimizer,
        .control = control,
        .observer = observer,
        .evaluate = [&](std::uint64_t done) { observer.evaluate(done, *task, world); },
        .save =
            [&](std::uint64_t done) {
              snapshot.step = done;
              snapshot.samples = done * config.batch;
              snapshot.run_state = state.to_json();
              const bool committed = known_to_all([&] { return checkpoints.save(snapshot, outcome.start); });
              if (committed) outcome.step = done;
              return committed;
            },
        .out_of_time =
            [&] {
              const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
              return config.max_hours && spent.count() > *config.max_hours * 3600;
            },
        .schedule = config.schedule_for(store->size()),
        .state = state,
        .batch = config.batch,
        .save_every = config.save_every,
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
    observer.finish();
    if (!end.committed)
      throw AgreedError(
          fmt::format(
              "step {} is done but could not be committed: free space on {} and run the same command again",
              end.step, config.run),
          ExitCode::PeerLost, "FileError");
    outcome.step = end.step;
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
    run.write_exit(outcome, control.rank());
    // A lost peer is what outcome.json says already; a cause of our own is worth more.
    if (agreed != nullptr ? control.is_root() : outcome.code != ExitCode::PeerLost) {
      try {
        run.write_outcome(outcome);
      } catch (const std::exception& second) {
        spdlog::error("could not write the outcome: {}", second.what());
      }
    }
    throw;
  }
}

}  // namespace facemae
