#include "trainer/saves.h"

#include "trainer/resume.h"

namespace facemae {

Saves::Saves(Saver& saver, Snapshot& snapshot, std::function<void(Snapshot&, std::uint64_t)> describe,
             const SaveSchedule& schedule, bool is_root, std::uint32_t start, std::uint64_t first_step,
             std::uint64_t& committed)
    : saver_(saver),
      snapshot_(snapshot),
      describe_(std::move(describe)),
      schedule_(schedule),
      is_root_(is_root),
      start_(start),
      last_begun_(first_step),
      committed_(committed) {}

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
  if (due || saver_.wants_another()) bits |= kDue;
  return bits;
}

void Saves::advance(std::uint64_t mask) {
  known_to_all([&] { saver_.advance((mask & kBusy) != 0); });
  note_committed();
}

void Saves::begin(std::uint64_t step) {
  describe_(snapshot_, step);
  if (!known_to_all([&] { return saver_.begin(snapshot_, start_); }))
    return;  // due again after the next step
  last_begun_ = step;
  begun_ = Clock::now();
}

bool Saves::now(std::uint64_t step, bool settle) {
  describe_(snapshot_, step);
  bool committed = false;
  do {  // too many failures in a row, damage found afterwards included, throw
    committed = known_to_all([&] { return saver_.save(snapshot_, start_); });
    note_committed();
    if (settle) known_to_all([&] { saver_.settle(); });
  } while (!committed || saver_.wants_another());
  return committed;
}

void Saves::note_committed() {
  if (const auto last = saver_.last_committed()) committed_ = last->step;
}

}  // namespace facemae
