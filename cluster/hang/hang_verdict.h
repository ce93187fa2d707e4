#pragma once
// Which rank keeps the job waiting: a pure function of the ranks' reports.
#include <map>
#include <string>
#include <vector>

#include "cluster/hang/hang_report.h"

namespace facemae {

struct Verdict {
  bool fatal = false;             ///< the job must end; else the ranks named may go on for a while
  std::vector<int> ranks;         ///< that the others wait for
  std::vector<int> missing = {};  ///< without a report, whether that is held against them or not
  std::string text;               ///< who waits where for whom, and what that rank does
  Seconds ask_again{1};           ///< when not fatal: until the first rank named is past its own limit
  bool tells = false;             ///< this rank is the one that tells it (not judge()'s to say)
};

/// For how long reports may be missing: they travel over storage whose slowness often is what began the inquest.
struct Absences {
  std::map<int, Seconds> since;  ///< by rank: missing in an earlier inquest already, that long ago
  Seconds borne{20};             ///< missing for longer is held against a rank
  Seconds longest{600};          ///< so is missing while somebody has waited for that long
};

/// The rank without a report, or the one that has not entered the collective in which most ranks wait. A rank that has
/// reported is blamed past its own limit only: it may be waiting for slow storage, or save. One without a report is
/// blamed when a call has failed because a peer is gone; else once it has been missing for long, while no rank that is
/// within its limit keeps the others waiting. Without any such rank nobody is at fault but the network or a device.
/// `reports`: one per rank at most, by rank, never empty.
Verdict judge(const std::vector<HangReport>& reports, int world, const Absences& absences = {});

}  // namespace facemae
