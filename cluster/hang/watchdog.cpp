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

/// Of an inquiry, which reads and writes files: a file system that does not answer is
/// borne as slow storage is.
std::chrono::milliseconds answer_limit(const WatchdogConfig& config) {
  return std::max(milliseconds_of(config.limits.others), 4 * config.wait);
}

}  // namespace

Watchdog::Watchdog(const WatchdogConfig& config, OperationRings rings, FileSystem& files, End end)
    : config_(config),
      rings_(std::move(rings)),
      end_(std::move(end)),
      clock_(config.limits, PhaseClock::Clock::now()),
      folder_(files, config.folder, config.rank) {
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
  const auto sight = clock_.look(now, last_finished());
  if (sight.quiet < 2 * config_.tick) return true;  // a rank that gets on looks at no files
  const std::unique_lock inquest(inquest_, std::try_to_lock);
  if (!inquest) return true;  // the main thread has lost a peer
  const CallLimit answer(answer_limit(config_), [this] {
    end_({.fatal = true,
          .ranks = {config_.rank},
          .text = fmt::format("rank {} makes no progress, and {} does not answer", config_.rank,
                              config_.folder.string()),
          .tells = true});
  });
  if (!sight.late()) not_before_ = {};  // what was borne before is over
  if (sight.late() && now >= not_before_) {
    const Verdict verdict = hold(HangCause::Deadline, "");
    if (verdict.fatal) {
      end_(verdict);
      return false;
    }
  } else if (folder_.called() ||
             (sight.quiet >= config_.limits.step / 2 && now - written_ >= config_.limits.step / 4)) {
    folder_.write(report(HangCause::Waiting, ""));
    written_ = now;
  }
  return true;
}

Verdict Watchdog::inquire(const std::string& error) {
  if (!config_.on) return {.fatal = true, .ranks = {}, .text = error, .tells = false};
  const std::lock_guard inquest(inquest_);
  const CallLimit answer(answer_limit(config_),
                         [&] { end_({.fatal = true, .ranks = {}, .text = error, .tells = true}); });
  return hold(HangCause::PeerLost, error);
}

Verdict Watchdog::hold(HangCause cause, const std::string& error) {
  const Seconds fresh = 2 * Seconds(config_.wait) + config_.limits.step / 2;
  auto own = report(cause, error);
  folder_.write(own);
  folder_.call(fresh);
  if (!rest(config_.wait)) return {};
  if (cause == HangCause::Deadline && !clock_.look(PhaseClock::Clock::now(), last_finished()).late())
    return {};  // it goes on
  if (const auto caller = folder_.caller(fresh); caller && *caller < config_.rank) {
    const auto until = PhaseClock::Clock::now() + config_.wait;  // the lowest rank tells
    while (PhaseClock::Clock::now() < until) {
      if (const auto conclusion = folder_.conclusion(); conclusion && (conclusion->fatal || error.empty())) {
        bear(*conclusion);
        return *conclusion;
      }
      if (!rest(config_.tick / 4)) return {};
    }
  }
  Verdict verdict = judge(folder_.read(own, fresh), config_.world);
  verdict.tells = true;
  folder_.conclude(verdict);
  if (!verdict.fatal) {
    bear(verdict);
    spdlog::warn("no progress for {}, within limits: {}", human_seconds(own.at.quiet.count()), verdict.text);
  }
  return verdict;
}

void Watchdog::bear(const Verdict& verdict) {
  // Not for the whole time that the slow rank has: another may stop meanwhile.
  not_before_ = PhaseClock::Clock::now() + milliseconds_of(std::min(verdict.ask_again, config_.limits.step));
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
