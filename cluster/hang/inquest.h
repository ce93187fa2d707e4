#pragma once
// Asks who keeps the job waiting. A state machine that is told the time and never waits, so that a test holds the
// inquests of a thousand ranks in one thread. Of the ranks that ask only the lowest reads all reports and judges; the
// others hear its conclusion: an inquest reads as many reports as there are ranks, however many ask.
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "cluster/hang/hang_report.h"
#include "cluster/hang/hang_verdict.h"

namespace facemae {

/// What ranks leave for each other when nothing else works. Nothing throws: what cannot be written or read is missing.
/// What is `fresh` was written at most that long before this rank's own report.
class HangMail {
 public:
  virtual ~HangMail() = default;
  virtual void write(const HangReport& report) noexcept = 0;
  /// Asks all ranks for a report, unless a lower one does already.
  virtual void call(Seconds fresh) noexcept = 0;
  /// True when somebody has called since the last time.
  virtual bool called() noexcept = 0;
  /// The rank that called last.
  virtual std::optional<int> caller(Seconds fresh) noexcept = 0;
  /// The other ranks' reports that are fresh, and `own`; by rank.
  virtual std::vector<HangReport> read(const HangReport& own, Seconds fresh) noexcept = 0;
  virtual void conclude(const Verdict& verdict) noexcept = 0;
  /// What another rank found, if it is newer than this rank's report.
  virtual std::optional<Verdict> conclusion() noexcept = 0;
};

struct InquestTimes {
  Seconds wait{3};      ///< for the reports of other ranks, and between two looks for what others have left
  Seconds again{20};    ///< between inquests that miss the same rank, before that is held against it
  Seconds answer{600};  ///< one that has lost a peer has to end after that long, with or without a conclusion
  /// Of a world: a folder is slower the more write into it (3 s and 20 ms a rank: 13 s for 512).
  static InquestTimes of(Seconds wait, Seconds wait_of_rank, const PhaseLimits& limits, int world);
};

class Inquest {
 public:
  using Time = PhaseClock::Time;
  /// Of this rank, now: its cause and error are not its own to say.
  using Report = std::function<HangReport(HangCause, const std::string& error)>;

  Inquest(HangMail& mail, const InquestTimes& times, const PhaseLimits& limits, int rank, int world)
      : mail_(mail), times_(times), limits_(limits), rank_(rank), world_(world) {}

  /// A peer is lost, says `error`: asks at once, and the verdict that look() returns is fatal. The others have time until
  /// they listen.
  void open(Time now, const PhaseClock::Sight& sight, const std::string& error, const Report& report);
  /// Does what is due: asks when this rank is late, answers others, judges. Returns a verdict that is new.
  std::optional<Verdict> look(Time now, const PhaseClock::Sight& sight, const Report& report);
  /// What look() would do may need the folder: ranks that get on leave it alone.
  bool due(Time now, const PhaseClock::Sight& sight) const;

 private:
  enum class State { Watching, Collecting, Hearing };
  void ask(Time now, Seconds wait, HangCause cause, const Report& report);
  void answer(Time now, const PhaseClock::Sight& sight, const Report& report);
  std::optional<Verdict> collect(Time now, const Report& report);
  std::optional<Verdict> hear(Time now, const Report& report);
  Verdict conclude(Time now, const HangReport& own);
  void bear(Time now, const Verdict& verdict);
  Seconds fresh() const { return 2 * times_.wait + limits_.step / 2; }

  HangMail& mail_;
  const InquestTimes times_;
  const PhaseLimits limits_;
  const int rank_, world_;
  State state_ = State::Watching;
  HangCause cause_ = HangCause::Deadline;
  std::string error_;
  Time judged_{}, looked_{}, written_{}, not_before_{};
  std::map<int, Time> missing_;  ///< ranks without a report, since when, while nothing has moved
};

}  // namespace facemae
