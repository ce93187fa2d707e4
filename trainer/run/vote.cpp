#include "trainer/run/vote.h"

#include "trainer/run/saves.h"

namespace facemae {
namespace {

constexpr std::uint64_t kStop = 1, kNotFinite = 2, kShardFailed = 4;

}  // namespace

std::uint64_t Vote::bits() const {
  return (stop ? kStop : 0) | (not_finite ? kNotFinite : 0) | (shard_failed ? kShardFailed : 0) | saving;
}

Vote Vote::of(std::uint64_t bits) {
  return {.stop = (bits & kStop) != 0,
          .not_finite = (bits & kNotFinite) != 0,
          .shard_failed = (bits & kShardFailed) != 0,
          .saving = bits & ~(kStop | kNotFinite | kShardFailed)};
}

Next next_after(std::uint64_t done, const Vote& vote, const LoopPlan& plan, bool skipped, bool in_flight) {
  const bool due = (vote.saving & Saves::kDue) != 0 && !in_flight;
  Next next;
  const bool hurried = done < plan.last && vote.stop;
  next.stops = hurried || (done < plan.last && done == plan.stop_after);
  next.ends = next.stops || done == plan.last;
  next.stands = !skipped;
  const bool evaluation_due =
      done == plan.last || (plan.evaluate_every > 0 && done % plan.evaluate_every == 0);
  next.evaluates = evaluation_due && !hurried && !(next.ends && skipped);
  next.saves = next.stands && (next.ends || due);
  return next;
}

}  // namespace facemae
