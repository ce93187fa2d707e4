#pragma once
// Runs the units of a study: one after the other in this process, any number of processes at once in one folder.
#include <chrono>
#include <string>
#include <vector>

#include "trainer/study/host_share.h"
#include "trainer/study/plan.h"
#include "trainer/study/unit_records.h"

namespace facemae {

struct RunnerConfig {
  Path out;                              ///< folder of the study
  std::string program;                   ///< that units are commands of
  std::vector<std::string> launcher;     ///< words before it for commands that work on ranks: mpirun -n 4
  std::vector<std::string> device;       ///< words behind every command: --device cuda
  HostShare share = {};                  ///< of this host, for the commands of this process
  double first = 0;                      ///< where in the list this process begins to look, from 0 to 1
  bool show = true;                      ///< progress
  bool wait = false;                     ///< for what runs in other processes, instead of leaving it to them
  int starts = 3;                        ///< of a command that crashes, before it has failed
  std::chrono::milliseconds pause{500};  ///< between looks at what others do
};

enum class StudyEnd {
  Finished,      ///< every unit is done, failed, or waits for one that failed
  LeftToOthers,  ///< what is left runs in other processes, and nothing waits for it
  Stopped,       ///< on notice; the same call goes on
};

/// A unit runs when what it needs is done and no other process has its lock; all processes see each other by the
/// records and locks in `out`. A command that crashes (1, 75, a signal) is started again, and resumes; one that says
/// that another start would not help has failed, and others go on. Main thread only.
StudyEnd run_units(FileSystem& files, const std::vector<StudyUnit>& units, const RunnerConfig& config);

/// Has the program of `config` read the words of a unit and stop. Throws ConfigError with what it says of them.
void try_command(const StudyUnit& unit, const RunnerConfig& config);

/// How a unit's exit code is judged.
enum class UnitEnd { Done, Stopped, TryAgain, Failed };
UnitEnd judge_exit(int code, bool noticed);

}  // namespace facemae
