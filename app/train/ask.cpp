// facemae stop and facemae save: ask a run through a file, from any host that sees it.
#include <chrono>
#include <thread>

#include "app/command.h"
#include "checkpoint/tensors/weights.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/files/requests.h"
#include "trainer/files/run_status.h"

namespace facemae {
namespace {

struct AskOptions {
  std::string run;
  bool wait = false;
};

/// False when the words asked for help.
bool read_words(App& app, Words words, Options& options, AskOptions& ask, const std::string& name,
                const char* until) {
  options.positional("RUN", ask.run, "the run");
  options.group(name).flag("wait", ask.wait, until);
  if (!options.parse(words, app.common) || !options.finish()) return false;
  app.alone(name);
  expect_run(ask.run);
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

}  // namespace

ExitCode run_stop(App& app, Words words) {
  AskOptions o;
  Options options(
      "Asks a run to commit a checkpoint and stop, through a file that it looks at about once a second.",
      "stop RUN [--wait]");
  options.epilogue(
      "The run ends with 76 and can go on from its last step. slurm/supervise.sh then neither starts it again nor requeues "
      "the job, and cancels what is left of a chain. Asked for while the job waits in the queue, its start ends at once.\n"
      "The next start that a person makes goes on and removes RUN/stop; so does deleting the file before it was seen.");
  if (!read_words(app, words, options, o, "stop", "wait until no training holds the run"))
    return ExitCode::Done;
  const bool running = status_of(o.run).state == "running";
  ask(real_files(), o.run, Request::Stop);
  if (!running) {
    spdlog::info(
        "no training holds {} now: what waits in a queue will not go on with it; a start by hand does, and removes {}",
        o.run, file_of(o.run, Request::Stop).string());
  } else {
    spdlog::info("asked {} to stop: it commits after its next step; `facemae status {}` shows when it has",
                 o.run, o.run);
    if (o.wait) wait_until([&] { return status_of(o.run).state != "running"; }, "the run to stop");
  }
  const auto status = status_of(o.run);
  app.result({{"run", o.run}, {"state", status.state}, {"committed_step", status.committed_step}});
  return ExitCode::Done;
}

ExitCode run_save(App& app, Words words) {
  AskOptions o;
  Options options(
      "Asks a running training for a checkpoint now, through a file that it looks at about once a second.",
      "save RUN [--wait]");
  options.epilogue("RUN/save goes once the checkpoint is committed. Training goes on beside the save.");
  if (!read_words(app, words, options, o, "save", "wait until the checkpoint is committed"))
    return ExitCode::Done;
  if (status_of(o.run).state != "running")
    throw ConfigError("no training holds " + o.run + " now, so nothing can be saved; `facemae status " +
                      o.run + "` shows its last checkpoint");
  ask(real_files(), o.run, Request::Save);
  spdlog::info("asked {} for a checkpoint", o.run);
  if (o.wait)
    wait_until([&] { return !asked(o.run, Request::Save) || status_of(o.run).state != "running"; },
               "the checkpoint");
  const auto status = status_of(o.run);
  if (o.wait && asked(o.run, Request::Save))
    throw Error("the training of " + o.run + " ended before it had made the checkpoint");
  app.result({{"run", o.run}, {"state", status.state}, {"committed_step", status.committed_step}});
  return ExitCode::Done;
}

}  // namespace facemae
