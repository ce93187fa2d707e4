#include "trainer/run/loop.h"

#include <torch/torch.h>

#include <utility>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/signals.h"
#include "trainer/run/decisions.h"
#include "trainer/step/range.h"
#include "trainer/step/reading.h"
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
  std::vector<std::int64_t> prepare(int micro_batches) override {
    const auto waiting = watchdog_.within(Phase::Data);
    return supply_.prepare(micro_batches);
  }

 private:
  FaceSource& supply_;
  Watchdog& watchdog_;
};

/// By their sum; `each` by every value, so that no sum of the classes that happen to be here can overflow. A scalar on
/// the device.
torch::Tensor finite(const torch::Tensor& gradient, bool each) {
  return each ? torch::isfinite(gradient).all() : torch::isfinite(gradient.sum());
}

/// 0 where it is undefined; waits for a device.
double number_of(const torch::Tensor& scalar) {
  return scalar.defined() ? Reading(scalar.reshape({1})).values().front() : 0;
}

class Loop {
 public:
  Loop(const Wiring& run, const UpdateConfig& update, const LoopPlan& plan)
      : run_(run),
        update_(update),
        plan_(plan),
        exact_(&run.sums != static_cast<const GradientSums*>(&run.gradients)),
        faces_(run.supply, run.watchdog),
        step_(run.task, faces_, run.sums, update.micro_batches, run.gradients.ranks().device()),
        decisions_(run.control, run.gradients.ranks(), run.late) {}

  LoopEnd run() {
    for (std::uint64_t step = plan_.first; step < plan_.last; ++step) {
      run_.watchdog.begin_step(step + 1);
      failpoint("loop.step");
      run_.task.measured = run_.observer.line_due(step + 1);
      const torch::Tensor loss = step_.compute(step);
      const torch::Tensor norm = run_.gradients.norm();
      decisions_.see(all_finite(loss, norm), norm);
      decisions_.cast(cast_ = step + 1, own_vote(step + 1));
      learn(/*settle=*/false);
      run_.saves.wait_copied();
      apply(step, norm);
      const std::uint64_t done = run_.reached = step + 1;
      const Next next = decide(done);
      observe(done);
      if (std::exchange(shard_failed_, false)) run_.state.quarantine = run_.supply.quarantine_failed(done);
      if (next.ends && !next.stands) return leave_skipped(done, next.stops);
      if (next.evaluates) evaluate(done);
      check_replicas(done, next.saves);
      if (next.saves) save(done, next);
      if (next.ends) return {.step = done, .stopped = next.stops, .reason = reason_of(done, next.stops)};
    }
    return {.step = plan_.last, .stopped = false, .reason = "all steps were done before"};
  }

 private:
  /// A scalar on the device: of this rank.
  torch::Tensor all_finite(const torch::Tensor& loss, const torch::Tensor& norm) const {
    const torch::Tensor both = torch::isfinite(norm).logical_and(torch::isfinite(loss));
    const auto of_classes = run_.task.class_gradient().values;
    return of_classes.defined() ? both.logical_and(finite(of_classes, exact_)) : both;
  }

  Vote own_vote(std::uint64_t step) const {
    return {.stop = notice_received() != 0 || (run_.control.is_root() && must_stop()),
            .shard_failed = run_.supply.shard_failed(),
            .saving = run_.saves.bits(step + decisions_.delay())};
  }

  bool must_stop() const {
    const SaveFigures& saves = run_.saves.figures();
    return run_.requests.stop() ||
           run_.clock.out_of_time(saves.committed, saves.seconds, run_.requests.end());
  }

  /// What follows from the decisions that are known by now.
  void learn(bool settle) {
    while (const auto decision = decisions_.next(settle)) {
      Vote vote = decision->vote;
      if (decision->step <= saved_) vote.saving &= ~Saves::kDue;     // asked for before that save began
      if (decision->step <= advanced_) vote.saving |= Saves::kBusy;  // of a phase that is over
      if (run_.saves.in_flight() && (vote.saving & Saves::kBusy) == 0) advanced_ = cast_;
      run_.saves.advance(vote.saving);
      if ((vote.saving & Saves::kDue) != 0 && due_ == 0) due_ = decision->step + decisions_.delay();
      stop_ = stop_ || vote.stop;
      shard_failed_ = shard_failed_ || vote.shard_failed;
      gradient_norm_ = decision->gradient_norm;
      count(*decision);
      run_.observer.decided(decision->step, gradient_norm_, run_.state.skipped);
    }
  }

  /// Where something depends on whether this very step was skipped, the host waits to know.
  Next decide(std::uint64_t done) {
    const auto now = [&] {
      const Vote vote{.stop = stop_, .saving = due_ != 0 && due_ <= done ? Saves::kDue : 0};
      return next_after(done, vote, plan_, run_.state.skipped_in_row > 0, run_.saves.in_flight());
    };
    const Next next = now();
    const bool due = due_ != 0 && due_ <= done;
    if (!next.ends && !next.evaluates && !due) return next;
    learn(/*settle=*/true);
    return now();
  }

  double learning_rate(std::uint64_t step) const { return update_.schedule.at(step * update_.batch); }

  /// Of all ranks or of none, whatever their own numbers say: the decision is on the device.
  void apply(std::uint64_t step, const torch::Tensor& norm) {
    const Range range("optimizer");
    const double rate = learning_rate(step);
    run_.optimizer.step(rate, {.found_inf = decisions_.skipped(), .clip = clip(norm)});
    run_.class_optimizer.step(rate, run_.task.class_gradient(), decisions_.skipped());
    run_.task.end(decisions_.skipped());
  }

  /// The factor of gradients, undefined for none: a host that knows the norm spares them a pass.
  torch::Tensor clip(const torch::Tensor& norm) const {
    if (update_.clip == 0 || (!run_.late && gradient_norm_ <= update_.clip)) return {};
    return (update_.clip / norm).clamp_max(1);
  }

  void count(const Decision& decision) {
    if (!decision.vote.not_finite) {
      run_.state.skipped_in_row = 0;
      return;
    }
    ++run_.state.skipped;
    if (++run_.state.skipped_in_row > static_cast<std::uint64_t>(update_.max_skips))
      diverged(
          fmt::format("step {}: the loss or its gradient was not finite {} times in a row (--max-skips {})",
                      decision.step, run_.state.skipped_in_row, update_.max_skips));
    spdlog::warn("step {}: the loss or its gradient is not finite, update skipped ({} so far)", decision.step,
                 run_.state.skipped);
  }

  void observe(std::uint64_t done) {
    run_.observer.after_step(done, run_.task,
                             {.learning_rate = learning_rate(done - 1),
                              .data = run_.supply.figures(),
                              .waited_seconds = step_.waited_seconds(),
                              .exposed_reduction_seconds = run_.sums.exposed_seconds(),
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
    const Range range("save");
    run_.state.automatic_weight = number_of(run_.task.automatic_weight);
    run_.state.linkage_weight = number_of(run_.task.linkage_weight);
    saved_ = advanced_ = done;
    due_ = 0;
    if (next.ends) {
      const auto saving = run_.watchdog.within(Phase::Save);
      run_.saves.now(done, /*settle=*/!next.stops);
    } else {
      run_.saves.begin(done);
      if (run_.late) run_.optimizer.give_back();  // the device copies before it computes on
    }
    run_.observer.draw(done);
  }

  std::string reason_of(std::uint64_t done, bool stopped) const {
    if (!stopped) return "all steps done";
    if (done == plan_.stop_after) return "--stop-after";
    if (const int signal = notice_received(); signal != 0) return "notice by " + signal_name(signal);
    if (run_.requests.stop()) return "asked for by `facemae stop`: " + run_.requests.who();
    return "notice on another rank, --max-hours, --end-time or the end of the job";
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
  Decisions decisions_;
  std::uint64_t cast_ = 0;  ///< the step that was cast on last
  // Of the decisions known so far:
  bool stop_ = false, shard_failed_ = false;
  std::uint64_t due_ = 0;                   ///< the step from which a save is due, 0: none
  std::uint64_t saved_ = 0, advanced_ = 0;  ///< cast on last when a save began, and when one went on
  double gradient_norm_ = 0;
};

}  // namespace

LoopEnd train(const Wiring& run, const UpdateConfig& update, const LoopPlan& plan) {
  return Loop(run, update, plan).run();
}

}  // namespace facemae
