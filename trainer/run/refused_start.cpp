#include "trainer/run/refused_start.h"

#include "core/files/folder_lock.h"
#include "core/log.h"
#include "trainer/files/run_folder.h"
#include "trainer/watch/watch.h"

namespace facemae {

void note_refused_start(const Path& run, ExitCode code, const std::string& kind, const std::string& reason,
                        const Blame& blame) noexcept {
  try {
    RunFolder folder(run);
    folder.refuse_a_file();
    const FolderLock lock(
        run,
        LockConfig{
            .thing = "the run", .work = "training", .otherwise = "use another --run", .from_own_job = true});
    // The ranks are gone already: how many there were is not known. Never fresh: nothing is begun anew here.
    const Fence fence = folder.begin_start(/*world=*/0, /*fresh=*/false);
    Outcome outcome{.start = fence.start, .code = code, .kind = kind, .reason = reason, .blame = blame};
    outcome.step = outcome.first = outcome.reached = newest_committed(folder);
    folder.write_outcome(outcome);
  } catch (const std::exception& error) {
    spdlog::warn("could not record in {} why the start was refused: {}", run.string(), error.what());
  }
}

}  // namespace facemae
