#include "cluster/hang/inquest.h"

#include <algorithm>

#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

PhaseClock::Time after(PhaseClock::Time time, Seconds seconds) {
  return time + std::chrono::duration_cast<PhaseClock::Clock::duration>(seconds);
}

}  // namespace

InquestTimes InquestTimes::of(Seconds wait, Seconds wait_of_rank, const PhaseLimits& limits, int world) {
  const Seconds scaled = wait + world * wait_of_rank;
  // A file system that does not answer is borne as slow storage is.
  return {
      .wait = scaled, .again = std::max(scaled, limits.step), .answer = std::max(limits.others, 4 * scaled)};
}

bool Inquest::due(Time now, const PhaseClock::Sight& sight) const {
  const bool over = !sight.late() && cause_ == HangCause::Deadline, looks = now - looked_ >= times_.wait / 4;
  if (state_ == State::Collecting) return over || now >= judged_;
  if (state_ == State::Hearing) return over || looks;
  return (sight.late() && now >= not_before_) || (world_ > 1 && sight.silence >= sight.listens && looks);
}

void Inquest::open(Time now, const PhaseClock::Sight& sight, const std::string& error, const Report& report) {
  error_ = error;
  ask(now, times_.wait + std::max(Seconds(0), sight.listens - sight.silence), HangCause::PeerLost, report);
}

std::optional<Verdict> Inquest::look(Time now, const PhaseClock::Sight& sight, const Report& report) {
  if (!sight.late()) {  // what was borne before is over
    not_before_ = {};
    missing_.clear();
    if (cause_ == HangCause::Deadline) state_ = State::Watching;
  }
  switch (state_) {
    case State::Watching:
      answer(now, sight, report);
      return std::nullopt;
    case State::Collecting:
      return collect(now, report);
    case State::Hearing:
      return hear(now, report);
  }
  return std::nullopt;
}

void Inquest::ask(Time now, Seconds wait, HangCause cause, const Report& report) {
  cause_ = cause;
  mail_.write(report(cause, error_));
  mail_.call(fresh());
  looked_ = written_ = now;
  judged_ = after(now, wait);
  state_ = State::Collecting;
}

void Inquest::answer(Time now, const PhaseClock::Sight& sight, const Report& report) {
  if (sight.late() && now >= not_before_) return ask(now, times_.wait, HangCause::Deadline, report);
  if (world_ == 1 || sight.silence < sight.listens) return;
  looked_ = now;
  const bool unasked =
      sight.quiet >= sight.listens && now - written_ >= std::max(limits_.step / 4, times_.wait);
  if (!mail_.called() && !unasked) return;
  mail_.write(report(HangCause::Waiting, ""));
  written_ = now;
}

std::optional<Verdict> Inquest::collect(Time now, const Report& report) {
  if (now < judged_) return std::nullopt;
  looked_ = now;
  if (const auto caller = mail_.caller(fresh()); caller && *caller < rank_) {
    state_ = State::Hearing;  // the lowest tells
    (void)mail_.called();     // its call has been answered
    return hear(now, report);
  }
  return conclude(now, report(cause_, error_));
}

std::optional<Verdict> Inquest::hear(Time now, const Report& report) {
  looked_ = now;
  if (auto found = mail_.conclusion(); found && (found->fatal || cause_ == HangCause::Deadline)) {
    bear(now, *found);
    return found;
  }
  if (mail_.called()) mail_.write(report(cause_, error_));  // it asks anew, and what it has is too old
  const bool lost = cause_ == HangCause::PeerLost;
  if (now < after(judged_, lost ? times_.answer / 2 : 3 * times_.wait)) return std::nullopt;
  if (lost) return Verdict{.fatal = true, .ranks = {}, .text = error_, .tells = true};
  state_ = State::Watching;  // whoever was to judge is gone, or gets on: the lowest that is left asks anew
  return std::nullopt;
}

Verdict Inquest::conclude(Time now, const HangReport& own) {
  Absences absences{.since = {}, .borne = times_.again, .longest = limits_.others};
  for (const auto& [rank, since] : missing_) absences.since[rank] = now - since;
  Verdict verdict = judge(mail_.read(own, fresh()), world_, absences);
  verdict.tells = true;
  mail_.conclude(verdict);
  bear(now, verdict);
  if (!verdict.fatal)
    spdlog::warn("no progress for {}, within limits: {}", human_seconds(own.at.quiet.count()), verdict.text);
  return verdict;
}

void Inquest::bear(Time now, const Verdict& verdict) {
  state_ = State::Watching;
  std::map<int, Time> still;
  for (const int rank : verdict.missing) {
    const auto before = missing_.find(rank);
    still[rank] = before == missing_.end() ? now : before->second;
  }
  missing_ = std::move(still);
  // Not for the whole time that the slow rank has: another may stop meanwhile.
  not_before_ = after(now, missing_.empty() ? std::min(verdict.ask_again, limits_.step) : times_.again);
}

}  // namespace facemae
