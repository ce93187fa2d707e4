// facemae stop and facemae save: ask a run through a file, from any host that sees it.
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/command.h"
#include "checkpoint/history/catalogue.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/files/requests.h"
#include "trainer/files/run_status.h"

namespace facemae {
namespace {

struct AskOptions {
  std::vector<std::string> runs;
  bool wait = false;
};

/// False when the words asked for help.
bool read_words(App& app, Words words, Options& options, AskOptions& ask, const std::string& name,
                const char* until) {
  options.positional("RUN", ask.runs, "the runs", 1);
  options.group(name).flag("wait", ask.wait, until);
  if (!options.parse(words, app.common) || !options.finish()) return false;
  app.alone(name);
  for (const auto& run : ask.runs) expect_run(run);
  return true;
}

/// Until `over`. Says what goes on each minute; ends by Ctrl-C as any command.
void wait_until(const std::function<bool()>& over, const std::string& what) {
  const auto began = std::chrono::steady_clock::now();
  auto told = began;
  while (!over()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const auto now = std::chrono::steady_clock::now();
    if (now - told < std::chrono::minutes(1)) continue;
    told = now;
    spdlog::info("still waiting for {}: {}", what,
                 human_seconds(std::chrono::duration<double>(now - began).count()));
  }
}

bool running(const std::string& run) { return status_of(run).state == "running"; }

ExitCode tell(App& app, const std::vector<std::string>& runs) {
  nlohmann::ordered_json told = nlohmann::ordered_json::array();
  for (const auto& run : runs) {
    const auto status = status_of(run);
    told.push_back({{"run", run}, {"state", status.state}, {"committed_step", status.committed_step}});
  }
  app.result(told.size() == 1 ? told.front() : nlohmann::ordered_json{{"runs", told}});
  return ExitCode::Done;
}

}  // namespace

ExitCode run_stop(App& app, Words words) {
  AskOptions o;
  Options options(
      "Asks a run to commit a checkpoint and stop, through a file that it looks at about once a second.",
      "stop RUN... [--wait]");
  options.epilogue(
      "The run ends with 76 and can go on from its last step. slurm/supervise.sh then neither starts it again nor requeues "
      "the job, and cancels what is left of a chain. Asked for while the job waits in the queue, its start ends at once.\n"
      "The next start that a person makes goes on and removes RUN/stop; so does deleting the file before it was seen.");
  if (!read_words(app, words, options, o, "stop", "wait until no training holds the run"))
    return ExitCode::Done;
  for (const auto& run : o.runs) {
    const bool trains = running(run);
    ask(real_files(), run, Request::Stop);
    if (trains)
      spdlog::info("asked {} to stop: it commits after its next step; `facemae status {}` shows when it has",
                   run, run);
    else
      spdlog::info(
          "no training holds {} now: what waits in a queue will not go on with it; a start by hand does, and removes {}",
          run, file_of(run, Request::Stop).string());
  }
  if (o.wait)
    for (const auto& run : o.runs) wait_until([&] { return !running(run); }, run + " to stop");
  return tell(app, o.runs);
}

ExitCode run_save(App& app, Words words) {
  AskOptions o;
  Options options(
      "Asks a running training for a checkpoint now, through a file that it looks at about once a second.",
      "save RUN... [--wait]");
  options.epilogue("RUN/save goes once the checkpoint is committed. Training goes on beside the save.");
  if (!read_words(app, words, options, o, "save", "wait until the checkpoint is committed"))
    return ExitCode::Done;
  for (const auto& run : o.runs)
    if (!running(run))
      throw ConfigError("no training holds " + run + " now, so nothing can be saved; `facemae status " + run +
                        "` shows its last checkpoint");
  for (const auto& run : o.runs) {
    ask(real_files(), run, Request::Save);
    spdlog::info("asked {} for a checkpoint", run);
  }
  for (const auto& run : o.runs) {
    if (!o.wait) continue;
    wait_until([&] { return !asked(run, Request::Save) || !running(run); }, "the checkpoint of " + run);
    if (asked(run, Request::Save))
      throw Error("the training of " + run + " ended before it had made the checkpoint");
  }
  return tell(app, o.runs);
}

}  // namespace facemae
