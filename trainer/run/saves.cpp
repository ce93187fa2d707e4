#include "trainer/run/saves.h"

#include <thread>

#include "core/log.h"
#include "core/text.h"
#include "trainer/run/resume.h"

namespace facemae {

Saves::Saves(Saver& saver, Snapshot& snapshot, std::function<void(Snapshot&, std::uint64_t)> describe,
             const SaveSchedule& schedule, bool is_root, std::uint32_t start, std::uint64_t first_step,
             Outcome& outcome)
    : saver_(saver),
      snapshot_(snapshot),
      describe_(std::move(describe)),
      schedule_(schedule),
      is_root_(is_root),
      start_(start),
      last_begun_(first_step),
      outcome_(outcome) {
  saver_.while_waiting = [this] {
    if (still_here) still_here();
    if (is_root_) tell_of_delays(0);
  };
}

std::uint64_t Saves::bits(std::uint64_t step) const {
  std::uint64_t bits = saver_.busy() ? kBusy : 0;
  if (!is_root_) return bits;
  const SaveFigures& figures = saver_.figures();
  const bool due = schedule_.due({.step = step,
                                  .last_save_step = last_begun_,
                                  .since_save = std::chrono::duration<double>(Clock::now() - begun_).count(),
                                  .saves = figures.committed,
                                  .stalled = figures.stalled_seconds,
                                  .save_seconds = figures.seconds});
  const bool asked = requests != nullptr && requests->save() && !answers_;
  if (due || asked || saver_.wants_another()) bits |= kDue;
  return bits;
}

void Saves::advance(std::uint64_t mask) {
  known_to_all([&] { saver_.advance((mask & kBusy) != 0); });
  note_committed();
  if (is_root_ && saver_.in_flight()) tell_of_delays(mask);
}

void Saves::tell_of_delays(std::uint64_t mask) {
  constexpr auto kSlow = std::chrono::minutes(10);
  const auto age = Clock::now() - begun_;
  if ((mask & kDue) != 0 && !told_postponed_) {
    told_postponed_ = true;
    spdlog::info(
        "a checkpoint is due, but that of step {} is still being written or read back: waiting for it",
        last_begun_);
  }
  if (age > kSlow && !told_slow_) {
    told_slow_ = true;
    spdlog::warn(
        "writing the checkpoint of step {} has taken {} so far: check whether the storage is slow or hangs. Nothing newer than step {} is safe",
        last_begun_, human_seconds(std::chrono::duration<double>(age).count()), outcome_.step);
  }
}

void Saves::begin(std::uint64_t step) {
  describe_(snapshot_, step);
  known_to_all([&] { saver_.begin(snapshot_, start_); });
  note_begun(step);
}

void Saves::note_begun(std::uint64_t step) {
  last_begun_ = step;
  begun_ = Clock::now();
  answers_ = requests != nullptr && requests->save();
  told_postponed_ = told_slow_ = false;
}

void Saves::now(std::uint64_t step, bool settle) {
  describe_(snapshot_, step);
  note_begun(step);
  for (auto pause = std::chrono::seconds(2);; pause *= 2) {
    // Too many failures in a row, damage found afterwards included, throw.
    const bool committed = known_to_all([&] { return saver_.save(snapshot_, start_); });
    note_committed();
    if (settle) known_to_all([&] { saver_.settle(); });
    if (committed && !saver_.wants_another()) return;
    if (!committed) std::this_thread::sleep_for(pause);  // the storage may fail for a moment only
  }
}

void Saves::finish() {
  known_to_all([&] { saver_.settle(); });
  note_committed();
}

void Saves::note_committed() {
  if (const auto last = saver_.last_committed()) outcome_.step = last->step;
  outcome_.save_seconds = saver_.figures().longest_seconds;
  if (!answers_ || outcome_.step < last_begun_) return;
  answers_ = false;
  requests->saved();
}

}  // namespace facemae
