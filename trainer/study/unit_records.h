#pragma once
// What is known of a unit of a study: a record of how it ended, kept as OUT/done/ID.json.
#include <optional>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "trainer/study/plan.h"

namespace facemae {

struct UnitRecord {
  int code = 0;        ///< exit code of the command; 0: done
  double seconds = 0;  ///< of the start that ended it
  std::string said;    ///< its last words, when it failed
};

/// Nothing when the unit has not ended, or had another command then.
std::optional<UnitRecord> read_record(const Path& out, const StudyUnit& unit);
void write_record(FileSystem& files, const Path& out, const StudyUnit& unit, const UnitRecord& record);
/// Forgets failures, so that they are tried again. Returns how many there were.
std::size_t forget_failures(FileSystem& files, const Path& out, const std::vector<StudyUnit>& units);

/// What may be done with a unit now.
enum class UnitState {
  Done,
  Failed,   ///< its command failed
  Lost,     ///< it needs one that failed or is lost
  Blocked,  ///< it needs one that is not done yet
  Ready,    ///< it may run, or runs elsewhere
};
/// Of all units, in order, from their records (none: not ended). Pure. Throws ConfigError for a need that is no unit.
std::vector<UnitState> states_of(const std::vector<StudyUnit>& units,
                                 const std::vector<std::optional<UnitRecord>>& records);

/// Places of a unit in the folder of the study.
Path log_of(const Path& out, const StudyUnit& unit);
Path lock_folder_of(const Path& out, const StudyUnit& unit);

}  // namespace facemae
