#include "trainer/run/loop.h"

#include <torch/torch.h>

#include <cmath>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/signals.h"
#include "trainer/exact/exact_step.h"

namespace facemae {
namespace {

/// Bits of the step's mask, or-ed over all ranks.
constexpr std::uint64_t kStop = 1, kNonFinite = 2, kShardFailed = 4;

Faces next_faces(LoopParts& run) {
  const auto waiting = run.watchdog.within(Phase::Data);
  failpoint("loop.data");
  return run.next_faces();
}

/// Returns a figure that is finite when this rank's share of the loss is.
torch::Tensor accumulate_gradients(LoopParts& run) {
  torch::Tensor loss;
  if (run.by_slot != nullptr) {
    loss = accumulate_by_slot(run.task, *run.by_slot, run.micro_batches, [&] {
      const auto waiting = run.watchdog.within(Phase::Data);
      return run.next_slots();
    });
    run.by_slot->sum();
    return loss;
  }
  std::vector<Faces> kept;  // of the first of two passes
  if (run.task.two_passes()) {
    for (int micro = 0; micro < run.micro_batches; ++micro) {
      kept.push_back(next_faces(run));
      run.task.observe(kept.back());
    }
    run.task.observed_all();
  }
  for (int micro = 0; micro < run.micro_batches; ++micro) {
    const Faces faces = kept.empty() ? next_faces(run) : kept[static_cast<std::size_t>(micro)];
    const torch::Tensor share = run.task.loss_share(faces);
    if (micro + 1 == run.micro_batches) run.gradients.reduce_next();
    share.backward();  // already a share of the whole step's loss
    loss = loss.defined() ? loss + share.detach() : share.detach();
  }
  failpoint("loop.backward");
  run.gradients.wait();
  return loss;
}

void evaluate(LoopParts& run, std::uint64_t done) {
  const auto evaluating = run.watchdog.within(Phase::Evaluation);
  run.evaluate(done);
}

/// A cheap look, or one that sees each value for itself, so that no sum of the classes that happen to
/// be here can overflow.
bool finite(const torch::Tensor& gradient, bool each) {
  return (each ? torch::isfinite(gradient).all() : torch::isfinite(gradient.sum())).item<bool>();
}

std::string why_stopped() {
  const int signal = notice_received();
  return signal != 0 ? fmt::format("notice by signal {}", signal)
                     : std::string("notice on another rank, --max-hours or --end-time");
}

/// All ranks know of it. What is being saved is of a finite step: it may become a checkpoint still.
[[noreturn]] void diverged(LoopParts& run, const std::string& how) {
  {
    const auto saving = run.watchdog.within(Phase::Save);
    run.saves.finish();
  }
  throw AgreedError(how + ". Lower --lr, add --clip 1, or use --precision float32", ExitCode::DoNotRequeue,
                    "Diverged");
}

/// The run ends with `done`, or stops there, and that step was skipped: it is not saved. The checkpoint
/// before it stands, from which a stopped run makes these steps again.
LoopEnd leave_skipped(LoopParts& run, std::uint64_t done, bool stop, const std::string& reason) {
  const std::string skipped =
      fmt::format("the loss or its gradient was not finite in the last {} step(s) up to step {}",
                  run.state.skipped_in_row, done);
  if (!stop) diverged(run, "the run has no good end: " + skipped + ", so nothing is saved");
  const auto saving = run.watchdog.within(Phase::Save);
  run.saves.finish();
  if (run.saves.committed() == 0) diverged(run, "stopped (" + reason + ") without a checkpoint: " + skipped);
  return {.step = done,
          .stopped = true,
          .reason = fmt::format("{}; {}, so the checkpoint of step {} stands", reason, skipped,
                                run.saves.committed())};
}

}  // namespace

LoopEnd train(LoopParts& run, std::uint64_t first, std::uint64_t last) {
  torch::Tensor centres = run.task.centres();
  for (std::uint64_t step = first; step < last; ++step) {
    run.watchdog.begin_step(step + 1);
    failpoint("loop.step");
    run.gradients.zero();
    if (centres.defined()) centres.mutable_grad().zero_();
    run.task.begin_step(step);
    const torch::Tensor loss = accumulate_gradients(run);

    const torch::Tensor norm = run.gradients.norm();
    const double gradient_norm = norm.item<double>();  // the host has waited for the whole step
    std::uint64_t mask = notice_received() != 0 || (run.control.is_root() && run.out_of_time()) ? kStop : 0;
    if (!std::isfinite(gradient_norm) || !torch::isfinite(loss).item<bool>()) mask |= kNonFinite;
    if (centres.defined() && !finite(centres.grad(), run.by_slot != nullptr)) mask |= kNonFinite;
    if (run.shard_failed()) mask |= kShardFailed;
    failpoint("loop.vote");
    // Before anything rests on the sums: those that a lost peer left half done are finite, too.
    run.gradients.check();
    mask = run.control.any_of(mask | run.saves.bits(step + 1));
    run.saves.advance(mask);
    run.saves.wait_copied();

    const double learning_rate = run.schedule.at(step * run.batch);
    if ((mask & kNonFinite) == 0) {
      if (run.clip > 0 && gradient_norm > run.clip) run.gradients.scale(run.clip / norm);
      run.optimizer.step(learning_rate);
      run.task.end_step();
      run.state.skipped_in_row = 0;
    } else {  // on every rank or on none, whatever its own numbers say
      run.task.undo_step();
      ++run.state.skipped;
      if (++run.state.skipped_in_row > static_cast<std::uint64_t>(run.max_skips))
        diverged(
            run,
            fmt::format("step {}: the loss or its gradient was not finite {} times in a row (--max-skips {})",
                        step + 1, run.state.skipped_in_row, run.max_skips));
      spdlog::warn("step {}: the loss or its gradient is not finite, update skipped ({} so far)", step + 1,
                   run.state.skipped);
    }

    const std::uint64_t done = run.reached = step + 1;
    run.state.automatic_weight = run.task.automatic_weight();
    run.observer.after_step(
        done, run.task,
        {.learning_rate = learning_rate,
         .gradient_norm = gradient_norm,
         .data = run.data(),
         .exposed_reduction_seconds =
             run.by_slot != nullptr ? run.by_slot->exposed_seconds() : run.gradients.exposed_seconds(),
         .skipped = run.state.skipped,
         .saving = run.saves.in_flight(),
         .save_stalled_seconds = run.saves.figures().stalled_seconds});
    if ((mask & kShardFailed) != 0) run.quarantine(done);
    const bool asked_to_stop_here = run.stop_after && done == *run.stop_after;
    const bool stop = done < last && ((mask & kStop) != 0 || asked_to_stop_here);
    const bool skipped = run.state.skipped_in_row > 0;
    if (skipped && (stop || done == last))
      return leave_skipped(run, done, stop, asked_to_stop_here ? "--stop-after" : why_stopped());
    // Before the commit, so that a kill in between is made up for. With a notice given, time is short.
    if (!stop && (done == last || (run.evaluate_every > 0 && done % run.evaluate_every == 0)))
      evaluate(run, done);
    const bool saves =
        stop || done == last || ((mask & Saves::kDue) != 0 && !run.saves.in_flight() && !skipped);
    if (saves) run.gradients.check();  // end_step() may have summed, and this would be kept
    run.check_replicas(done, saves);
    if (stop || done == last) {
      const auto saving = run.watchdog.within(Phase::Save);
      run.saves.now(done, /*settle=*/!stop);
    } else if (saves) {
      run.saves.begin(done);
    }
    if (saves) run.observer.draw(done, run.task);
    if (stop || done == last)
      return {.step = done,
              .stopped = stop,
              .reason = !stop                ? "all steps done"
                        : asked_to_stop_here ? "--stop-after"
                                             : why_stopped()};
  }
  return {.step = last, .stopped = false, .reason = "all steps were done before"};
}

}  // namespace facemae
