#pragma once
// What one rank tells of itself when the job makes no
// progress: RUN/hang/<start>/rank<r>.json (docs/FORMATS.md).
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/hang/operation_ring.h"
#include "cluster/hang/phase_clock.h"

namespace facemae {

enum class HangCause {
  Waiting,   ///< no progress for a while, or another rank has reported: nothing is held against anybody yet
  Deadline,  ///< no progress for longer than its phase may last
  PeerLost   ///< a call failed because a rank is gone
};

/// One operation; ages are seconds before the report, 0 for what has not happened.
struct OperationNote {
  std::uint64_t number = 0;
  std::string what;
  OperationState state = OperationState::Pushed;
  double pushed = 0, started = 0, finished = 0;
};
struct CommunicatorNote {
  std::string name;
  std::uint64_t pushed = 0, started = 0, finished = 0;
  std::vector<OperationNote> tail;  ///< oldest first
  /// The first operation that this rank has entered or queued and that is not complete;
  /// null when there is none.
  const OperationNote* waiting_in() const;
};

struct HangReport {
  int rank = 0, world = 1;
  std::string host;
  std::int64_t process = 0, written = 0;  ///< nanoseconds since 1970: tells a rank's reports apart
  HangCause cause = HangCause::Waiting;
  std::string error;  ///< of PeerLost
  PhaseClock::Sight at;
  std::vector<CommunicatorNote> communicators;

  const CommunicatorNote* find(const std::string& communicator) const;
};

CommunicatorNote note_of(const OperationRing::Snapshot& ring, PhaseClock::Time now);
std::string to_json(const HangReport& report);
HangReport parse_hang_report(const std::string& text);  ///< throws Error

}  // namespace facemae
