#include "trainer/run/session.h"

#include <torch/torch.h>

#include <algorithm>
#include <optional>

#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "cluster/world/gpu_name.h"
#include "core/files/folder_lock.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/files/requests.h"
#include "trainer/input/machine.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/ending.h"
#include "trainer/run/loop.h"
#include "trainer/run/picture_faces.h"
#include "trainer/run/resume.h"
#include "trainer/speed/peak_speed.h"
#include "trainer/speed/profile.h"
#include "trainer/step/deterministic.h"
#include "trainer/step/instruction_set.h"
#include "trainer/step/memory_need.h"
#include "trainer/step/slot_gradients.h"
#include "trainer/watch/request_watch.h"
#include "trainer/watch/watch.h"

namespace facemae {
namespace {

/// Open, begin, resume, wire, finish: in this order.
class Session {
 public:
  Session(World& world, const RunConfig& given, const std::function<RunInput()>& open)
      : world_(world),
        control_(world.control()),
        clock_(given.max_hours, given.end_seconds()),
        run_(given.run),
        input_(open_input(given, open)) {
    make();
  }

  Outcome run() {
    if (config().dry_run) {
      const auto need = memory_need({task(), *gradients_, sums(), *optimizer_, snapshot_}, batches(),
                                    input_.store->image_size(), input_.store->identities(), control_.rank());
      print_dry_run(config(), *input_.store, snapshot_, *gradients_, need, world_);
      return {.code = ExitCode::Done, .kind = "dry-run", .reason = "", .step = 0};
    }
    return begun_and_ended([&] { return train(); });
  }

  /// See take_over_run().
  Outcome take_over(std::uint64_t steps, const Fill& fill) {
    if (begun_)
      throw AgreedError(fmt::format("the run {} has begun already: give another --run", config().run),
                        ExitCode::BadConfiguration, "ConfigError");
    return begun_and_ended([&] { return commit(steps, fill); });
  }

 private:
  template <class Work>
  Outcome begun_and_ended(Work work) {
    begin();
    try {
      return finish(work());
    } catch (const std::exception& error) {
      fail(error);
      throw;
    }
  }

  const RunConfig& config() const { return input_.config; }

  RunInput open_input(const RunConfig& given, const std::function<RunInput()>& open) {
    threads_ = given.exact ? 1 : given.threads > 0 ? given.threads : world_.topology().cores;
    torch::set_num_threads(threads_);
    if (given.exact) agree_on_kernels(control_);
    if (given.deterministic.value_or(false) && !compute_deterministically(world_.device()) &&
        control_.is_root())
      spdlog::info("--deterministic changes nothing on CPUs, which compute so anyway");
    together(control_, [&] {
      if (control_.is_root() && !given.run.empty()) run_.refuse_a_file();
    });
    return open();
  }

  /// The task and all that a checkpoint holds, alike on all ranks.
  void make() {
    total_ = config().total_steps(input_.images);
    begun_ = has_begun(config(), control_);
    const std::string init = begun_ ? "" : config().init;
    torch::Tensor identities;
    together(control_, [&] {
      training_ = input_.make_task(init);
      identities = input_.identities(init);
    });
    if (training_.evaluator != nullptr) training_.evaluator->open_sets(world_, identities, begun_);
    gradients_.emplace(task().parameters(), world_.gradients(), config().buckets());
    if (config().exact) slots_.emplace(*gradients_, config().exact_slots, world_.gradients());
    optimizer_.emplace(config().optimizer_of_run(), *gradients_);
    class_optimizer_.emplace(config().class_update, *optimizer_, task().classes().centres);
    snapshot_ = snapshot_of(task(), *optimizer_, *class_optimizer_, input_, identities);
    alike_ = alike_on_all_ranks(snapshot_, gradients_->sharded());
    if (!control_.same_everywhere(hash_of(alike_).hex() + task().kind()))
      throw AgreedError(
          "the ranks do not start from the same weights: did --init or --embedder change while they read it?",
          ExitCode::PeerLost, "DataError");
  }

  /// Rank 0 takes RUN and claims a start of it.
  void begin() {
    const LockConfig ours{
        .thing = "the run", .work = "training", .otherwise = "use another --run", .from_own_job = true};
    together(control_, [&] {
      if (control_.is_root()) lock_.emplace(config().run, ours);
    });
    require_shared(control_, real_files(), config().run, "--run " + config().run);
    together(control_, [&] {
      if (!control_.is_root()) return;
      for (const Path& folder : {Path(config().run), Path(config().run) / "checkpoints" / "fence"})
        remove_temporaries(folder);
      begin_requests(real_files(), config().run, started_by_supervisor());
      fence_ = run_.begin_start(control_.size(), config().fresh);
      requests_ = RequestWatch(config().run);
    });
    outcome_.start = static_cast<std::uint32_t>(std::stoul(control_.broadcast(std::to_string(fence_.start))));
    hosts_ = hosts_of_ranks(control_);
    watchdog_ = watch(world_, run_, config(), outcome_.start, hosts_);
  }

  /// Returns the steps done.
  std::uint64_t go_on_from(CheckpointStore& checkpoints) {
    optimizer_->gather();
    const std::uint64_t first =
        known_to_all([&] { return resume(checkpoints, snapshot_, state_, input_, control_); });
    optimizer_->take_own();
    outcome_.step = outcome_.first = outcome_.reached = first;
    for (const auto& [weight, value] : {std::pair(&task().automatic_weight, state_.automatic_weight),
                                        std::pair(&task().linkage_weight, state_.linkage_weight)})
      if (weight->defined()) *weight = torch::full_like(*weight, value);
    together(control_, [&] {
      if (!control_.is_root()) return;
      run_.decide(fence_, checkpoints.restored());
      if (const auto restored = checkpoints.restored())
        checkpoints.saver().confirm(*restored, outcome_.start, checkpoints.restored_in_full());
      run_.write_config(input_.config_text);
      run_.cut_back(first);
      if (input_.store) picture_faces_ = picture_faces(*input_.store, config().seed, world_.device());
    });
    return first;
  }

  LoopEnd train() {
    together(control_, [&] {
      if (control_.is_root()) refuse_without_progress(run_, config().max_idle_starts);
    });
    CheckpointStore checkpoints(config().run, control_, real_files(), &world_.batch());
    checkpoints.saver().keep(
        {.last = config().keep, .every = config().keep_every, .best = config().keep_best});
    checkpoints.saver().max_failed_saves = config().max_failed_saves;
    const std::uint64_t first = go_on_from(checkpoints);
    const auto supply = input_.supply(first, state_.quarantine, task().needs());
    Profile profile(step_span(config().profile_steps), run_.path() / "profile", control_.rank(),
                    world_.device(), first);
    Observer observer(
        run_, observer_config(first), world_.batch(), world_.device(),
        {training_.pictures, std::move(picture_faces_), training_.evaluator, &world_, &profile});
    const auto describe_with_metric = [&](Snapshot& at, std::uint64_t done) {
      describe(at, done);
      at.metric = observer.metric_of(done);
    };
    Saves saves(checkpoints.saver(), snapshot_, describe_with_metric, config().save_schedule(),
                control_.is_root(), outcome_.start, first, outcome_);
    saves.requests = &requests_;
    saves.still_here = [&] { watchdog_->enter(Phase::Save); };
    ReplicaCheck replicas(alike_, control_, config().check_replicas, world_.accelerator());
    announce(first);
    const LoopEnd end = facemae::train({.task = task(),
                                        .supply = *supply,
                                        .gradients = *gradients_,
                                        .sums = sums(),
                                        .optimizer = *optimizer_,
                                        .class_optimizer = *class_optimizer_,
                                        .control = control_,
                                        .watchdog = *watchdog_,
                                        .observer = observer,
                                        .saves = saves,
                                        .replicas = replicas,
                                        .clock = clock_,
                                        .requests = requests_,
                                        .state = state_,
                                        .reached = outcome_.reached,
                                        .late = !world_.device().is_cpu()},
                                       update_config(), plan(first));
    watchdog_->enter(Phase::Shutdown);
    observer.finish();
    return end;
  }

  LoopEnd commit(std::uint64_t steps, const Fill& fill) {
    CheckpointStore checkpoints(config().run, control_, real_files(), &world_.batch());
    go_on_from(checkpoints);
    optimizer_->gather();
    together(control_, [&] { fill(snapshot_); });
    optimizer_->take_own();
    describe(snapshot_, steps);
    if (!known_to_all([&] { return checkpoints.save(snapshot_, outcome_.start); }))
      throw AgreedError("the first checkpoint of the run could not be written", ExitCode::DoNotRequeue,
                        "Unresumable");
    outcome_.step = outcome_.first = outcome_.reached = steps;
    watchdog_->enter(Phase::Shutdown);
    return {.step = steps, .stopped = true, .reason = "taken over from another program"};
  }

  /// What belongs to a step beside tensors.
  void describe(Snapshot& at, std::uint64_t done) {
    optimizer_->gather();
    at.step = done;
    at.samples = done * config().batch;
    at.run_state = state_.to_json();
  }

  ObserverConfig observer_config(std::uint64_t first) const {
    return {.log_every = config().log_every,
            .batch = config().batch,
            .store_images = input_.images,
            .first_step = first,
            .last_step = total_,
            .start = outcome_.start,
            .flops_of_image = training_.flops_of_image,
            .peak_speed = peak_speed(gpu_name(world_.device()), config().precision)};
  }
  UpdateConfig update_config() const {
    return {.batch = config().batch,
            .micro_batches = config().accumulate,
            .clip = config().clip,
            .max_skips = config().max_skips,
            .schedule = config().schedule_for(input_.images)};
  }
  BatchPlan batches() const {
    return {.global_batch = config().batch,
            .micro_batches = config().accumulate,
            .world = control_.size(),
            .slots = config().exact ? config().exact_slots : 0,
            .together = config().together};
  }
  LoopPlan plan(std::uint64_t first) const {
    return {.first = first,
            .last = total_,
            .stop_after = config().stop_after,
            .evaluate_every = config().eval_every};
  }

  void announce(std::uint64_t first) {
    if (!control_.is_root()) return;
    if (config().stop_after && first >= *config().stop_after && first < total_)
      spdlog::info("--stop-after {} is ignored: the run is at step {}", *config().stop_after, first);
    spdlog::info(
        "{}: steps {} to {}, batch {} on {} rank(s) x {} compute and {} loader thread(s), {} images, {} trained values",
        task().kind(), first + 1, total_, config().batch, control_.size(), threads_,
        workers_of(config(), world_), human_count(input_.images), human_count(trained_values(*gradients_)));
  }

  Outcome finish(const LoopEnd& end) {
    outcome_.code = end.stopped ? ExitCode::Stopped : ExitCode::Done;
    outcome_.kind = end.stopped ? "stopped" : "done";
    outcome_.reason = end.reason;
    outcome_.asked = end.stopped && requests_.stop();
    if (control_.is_root()) run_.write_outcome(outcome_);
    return outcome_;
  }

  /// Leaves word of a failure. Throws where the failure means something else by now; else the caller throws it on.
  void fail(const std::exception& error) {
    const Ending ending = ending_of(error);
    outcome_.code = ending.code;
    outcome_.kind = ending.kind;
    outcome_.reason = ending.reason;
    outcome_.blame = ending.blame;
    if (ending.lost_peer)
      return note_lost_peer(run_, outcome_, watchdog_->inquire(outcome_.reason), control_.rank(), hosts_);
    run_.write_exit(outcome_, control_.rank());
    try {
      if (ending.writes_outcome(control_.is_root())) run_.write_outcome(outcome_);
    } catch (const std::exception& second) {
      spdlog::error("could not write the outcome: {}", second.what());
    }
    if (ending.of_storage && ending.agreed) throw AgreedError(outcome_.reason, outcome_.code, outcome_.kind);
    if (ending.of_storage) throw Error(outcome_.reason);
  }

  Task& task() { return *training_.task; }
  GradientSums& sums() { return slots_ ? static_cast<GradientSums&>(*slots_) : *gradients_; }

  World& world_;
  Control& control_;
  RunClock clock_;
  RunFolder run_;
  int threads_ = 1;
  RunInput input_;
  std::uint64_t total_ = 0;
  bool begun_ = false;  ///< by an earlier start
  TrainingTask training_;
  std::optional<GradientBuckets> gradients_;
  std::optional<SlotGradients> slots_;
  std::optional<Optimizer> optimizer_;
  std::optional<ClassOptimizer> class_optimizer_;
  Snapshot snapshot_, alike_;  ///< what checkpoints hold; what of it every rank holds itself
  Outcome outcome_;
  Fence fence_;
  std::vector<std::string> hosts_;  ///< of the ranks
  std::optional<FolderLock> lock_;
  RequestWatch requests_;  ///< of rank 0
  std::unique_ptr<Watchdog> watchdog_;
  RunState state_;
  Faces picture_faces_;
};

}  // namespace

Outcome run_training(World& world, const RunConfig& config, const ConfigText& config_text,
                     const MakeTask& make_task) {
  return run_training(world, config, [&] { return open_run_store(world, config, config_text, make_task); });
}

Outcome take_over_run(World& world, const RunConfig& config, const ConfigText& config_text,
                      const MakeTask& make_task, std::uint64_t steps, const Fill& fill) {
  return Session(world, config, [&] { return open_run_store(world, config, config_text, make_task); })
      .take_over(steps, fill);
}

Outcome run_training(World& world, const RunConfig& given, const std::function<RunInput()>& open) {
  return Session(world, given, open).run();
}

}  // namespace facemae
