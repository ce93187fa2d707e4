#include "trainer/run/loop.h"

#include <torch/torch.h>

#include <cmath>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/signals.h"
#include "trainer/step/step.h"

namespace facemae {
namespace {

/// The supply, whose waiting the watchdog knows of.
class WatchedSupply final : public FaceSource {
 public:
  WatchedSupply(FaceSource& supply, Watchdog& watchdog) : supply_(supply), watchdog_(watchdog) {}
  std::vector<Faces> next() override {
    const auto waiting = watchdog_.within(Phase::Data);
    failpoint("loop.data");
    return supply_.next();
  }

 private:
  FaceSource& supply_;
  Watchdog& watchdog_;
};

/// By their sum; `each` by every value, so that no sum of the classes that happen to be here can overflow.
bool finite(const torch::Tensor& gradient, bool each) {
  return (each ? torch::isfinite(gradient).all() : torch::isfinite(gradient.sum())).item<bool>();
}

class Loop {
 public:
  Loop(const Wiring& run, const UpdateConfig& update, const LoopPlan& plan)
      : run_(run),
        update_(update),
        plan_(plan),
        exact_(&run.sums != static_cast<const GradientSums*>(&run.gradients)),
        faces_(run.supply, run.watchdog),
        step_(run.task, faces_, run.sums, update.micro_batches) {}

  LoopEnd run() {
    for (std::uint64_t step = plan_.first; step < plan_.last; ++step) {
      run_.watchdog.begin_step(step + 1);
      failpoint("loop.step");
      const torch::Tensor loss = step_.compute(step);
      const torch::Tensor norm = run_.gradients.norm();
      const double gradient_norm = norm.item<double>();  // the host has waited for the whole step
      const Vote vote = decide(step + 1, loss, gradient_norm);
      run_.saves.advance(vote.bits());
      run_.saves.wait_copied();
      vote.not_finite ? skip(step + 1) : apply(step, norm, gradient_norm);
      const std::uint64_t done = run_.reached = step + 1;
      observe(done, gradient_norm);
      if (vote.shard_failed) run_.state.quarantine = run_.supply.quarantine_failed(done);
      const Next next = next_after(done, vote, plan_, run_.state.skipped_in_row > 0, run_.saves.in_flight());
      if (next.ends && !next.stands) return leave_skipped(done, next.stops);
      if (next.evaluates) evaluate(done);
      check_replicas(done, next.saves);
      if (next.saves) save(done, next);
      if (next.ends) return {.step = done, .stopped = next.stops, .reason = reason_of(done, next.stops)};
    }
    return {.step = plan_.last, .stopped = false, .reason = "all steps were done before"};
  }

 private:
  /// All ranks, before anything rests on the sums: those that a lost peer left half done are finite, too.
  Vote decide(std::uint64_t step, const torch::Tensor& loss, double gradient_norm) {
    Vote own;
    own.stop = notice_received() != 0 ||
               (run_.control.is_root() && run_.clock.out_of_time(run_.saves.figures().seconds));
    const auto centres = run_.task.classes().centres;
    own.not_finite = !std::isfinite(gradient_norm) || !torch::isfinite(loss).item<bool>() ||
                     (centres.defined() && !finite(centres.grad(), exact_));
    own.shard_failed = run_.supply.shard_failed();
    failpoint("loop.vote");
    run_.gradients.check();
    own.saving = run_.saves.bits(step);
    return Vote::of(run_.control.any_of(own.bits()));
  }

  double learning_rate(std::uint64_t step) const { return update_.schedule.at(step * update_.batch); }

  void apply(std::uint64_t step, const torch::Tensor& norm, double gradient_norm) {
    if (update_.clip > 0 && gradient_norm > update_.clip) run_.gradients.scale(update_.clip / norm);
    run_.optimizer.step(learning_rate(step));
    run_.task.end();
    run_.state.skipped_in_row = 0;
  }

  /// On every rank or on none, whatever its own numbers say.
  void skip(std::uint64_t step) {
    run_.task.undo();
    ++run_.state.skipped;
    if (++run_.state.skipped_in_row > static_cast<std::uint64_t>(update_.max_skips))
      diverged(
          fmt::format("step {}: the loss or its gradient was not finite {} times in a row (--max-skips {})",
                      step, run_.state.skipped_in_row, update_.max_skips));
    spdlog::warn("step {}: the loss or its gradient is not finite, update skipped ({} so far)", step,
                 run_.state.skipped);
  }

  void observe(std::uint64_t done, double gradient_norm) {
    run_.state.automatic_weight = run_.task.automatic_weight;
    run_.state.linkage_weight = run_.task.linkage_weight;
    run_.observer.after_step(done, run_.task,
                             {.learning_rate = learning_rate(done - 1),
                              .gradient_norm = gradient_norm,
                              .data = run_.supply.figures(),
                              .exposed_reduction_seconds = run_.sums.exposed_seconds(),
                              .skipped = run_.state.skipped,
                              .saving = run_.saves.in_flight(),
                              .save_stalled_seconds = run_.saves.figures().stalled_seconds});
  }

  void evaluate(std::uint64_t done) {
    const auto evaluating = run_.watchdog.within(Phase::Evaluation);
    run_.observer.evaluate(done);
  }

  /// A lost peer is not a silent error of a processor, and what end() may have summed is to be kept.
  void check_replicas(std::uint64_t done, bool saves) {
    const bool due = run_.replicas.due(done, saves);
    if (saves || due) run_.gradients.check();
    if (!due) return;
    const auto checking = run_.watchdog.within(Phase::Save);
    run_.replicas.compare(done);
  }

  void save(std::uint64_t done, const Next& next) {
    if (next.ends) {
      const auto saving = run_.watchdog.within(Phase::Save);
      run_.saves.now(done, /*settle=*/!next.stops);
    } else {
      run_.saves.begin(done);
    }
    run_.observer.draw(done);
  }

  std::string reason_of(std::uint64_t done, bool stopped) const {
    if (!stopped) return "all steps done";
    if (done == plan_.stop_after) return "--stop-after";
    const int signal = notice_received();
    return signal != 0 ? "notice by " + signal_name(signal)
                       : std::string("notice on another rank, --max-hours or --end-time");
  }

  /// All ranks know of it. What is being saved is of a finite step: it may become a checkpoint still.
  [[noreturn]] void diverged(const std::string& how) {
    {
      const auto saving = run_.watchdog.within(Phase::Save);
      run_.saves.finish();
    }
    throw AgreedError(how + ". Lower --lr, add --clip 1, or use --precision float32", ExitCode::DoNotRequeue,
                      "Diverged");
  }

  /// The run ends with `done`, or stops there, and that step was skipped: it is not saved. The checkpoint before it
  /// stands, from which a stopped run makes these steps again.
  LoopEnd leave_skipped(std::uint64_t done, bool stopped) {
    const std::string skipped =
        fmt::format("the loss or its gradient was not finite in the last {} step(s) up to step {}",
                    run_.state.skipped_in_row, done);
    if (!stopped) diverged("the run did not end well: " + skipped + ", so nothing is saved");
    const std::string reason = reason_of(done, stopped);
    const auto saving = run_.watchdog.within(Phase::Save);
    run_.saves.finish();
    if (run_.saves.committed() == 0) diverged("stopped (" + reason + ") without a checkpoint: " + skipped);
    return {.step = done,
            .stopped = true,
            .reason = fmt::format("{}; {}, so the checkpoint of step {} remains the last one", reason,
                                  skipped, run_.saves.committed())};
  }

  const Wiring& run_;
  const UpdateConfig& update_;
  const LoopPlan& plan_;
  bool exact_;
  WatchedSupply faces_;
  Step step_;
};

}  // namespace

LoopEnd train(const Wiring& run, const UpdateConfig& update, const LoopPlan& plan) {
  return Loop(run, update, plan).run();
}

}  // namespace facemae
