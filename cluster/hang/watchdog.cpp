#include "cluster/hang/watchdog.h"

#include <unistd.h>

#include <algorithm>

#include "cluster/host/call_limit.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

/// A tick that is so late means that the process was stopped or suspended, with the rest of the
/// job as likely as not.
constexpr auto kAsleep = std::chrono::seconds(5);

std::chrono::milliseconds milliseconds_of(Seconds seconds) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(seconds);
}

}  // namespace

Watchdog::Watchdog(const WatchdogConfig& config, OperationRings rings, FileSystem& files, End end)
    : config_(config),
      times_(InquestTimes::of(config.wait, config.wait_of_rank, config.limits, config.world)),
      rings_(std::move(rings)),
      end_(std::move(end)),
      clock_(config.limits, PhaseClock::Clock::now()),
      folder_(files, config.folder, config.rank),
      inquest_(folder_, times_, config.limits, config.rank, config.world) {
  if (config_.on) thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Watchdog::rest(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [&] { return stop_; });
}

void Watchdog::watch() {
  auto last = PhaseClock::Clock::now();
  while (rest(config_.tick)) {
    const auto now = PhaseClock::Clock::now();
    if (now - last > kAsleep) clock_.restart(now);
    last = now;
    if (!look(now)) return;
  }
}

PhaseClock::Time Watchdog::last_finished() const {
  PhaseClock::Time last{};
  for (const auto& ring : rings_) last = std::max(last, ring->last_finished());
  return last;
}

bool Watchdog::look(PhaseClock::Time now) {
  clock_.listen(now, last_finished());
  const auto sight = clock_.look(now, last_finished());
  const std::unique_lock asking(asking_, std::try_to_lock);
  if (!asking || !inquest_.due(now, sight)) return true;  // or the main thread has lost a peer
  const CallLimit answer(milliseconds_of(times_.answer), [this] {
    end_({.fatal = true,
          .ranks = {config_.rank},
          .text = fmt::format("rank {} makes no progress, and {} does not answer", config_.rank,
                              config_.folder.string()),
          .tells = true});
  });
  const auto verdict = inquest_.look(now, sight, [this](auto... of) { return report(of...); });
  if (!verdict || !verdict->fatal) return true;
  end_(*verdict);
  return false;
}

Verdict Watchdog::inquire(const std::string& error) {
  Verdict told{.fatal = true, .ranks = {}, .text = error, .tells = config_.on};
  if (!config_.on) return told;
  const std::lock_guard asking(asking_);
  const CallLimit answer(milliseconds_of(times_.answer), [&] { end_(told); });
  const auto own = [this](auto... of) { return report(of...); };
  const auto began = PhaseClock::Clock::now();
  inquest_.open(began, clock_.look(began, last_finished()), error, own);
  while (rest(config_.tick / 4)) {
    const auto now = PhaseClock::Clock::now();
    const auto sight = clock_.look(now, last_finished());
    if (!inquest_.due(now, sight)) continue;
    if (const auto verdict = inquest_.look(now, sight, own)) return *verdict;
  }
  return told;
}

HangReport Watchdog::report(HangCause cause, const std::string& error) const {
  const auto now = PhaseClock::Clock::now();
  HangReport report{
      .rank = config_.rank,
      .world = config_.world,
      .host = host_name(),
      .process = ::getpid(),
      .written = std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1),
      .cause = cause,
      .error = error,
      .at = clock_.look(now, last_finished()),
      .communicators = {}};
  for (const auto& ring : rings_) report.communicators.push_back(note_of(ring->snapshot(), now));
  return report;
}

}  // namespace facemae
