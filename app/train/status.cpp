// facemae status: how runs are doing, from their files.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "app/command.h"
#include "core/clock.h"
#include "trainer/files/run_status.h"

namespace facemae {

ExitCode run_status(App& app, Words words) {
  std::vector<std::string> what;
  bool watch = false;
  double interval = 5;
  Options options(
      "Shows the state of runs: step, rate, time left, age of the last commit, every start and its end.",
      "status RUN... [OPTIONS]");
  options.positional("RUN", what, "the runs", 1);
  options.group("Status")
      .flag("watch", watch, "show the status again and again, until no run is running or Ctrl-C")
      .add("interval", interval, "seconds between two readings")
      .above(0)
      .at_most(86400, "that is a day");
  options.epilogue(
      "Reads files only: it works beside a running job and from any host that sees the run. Without locks on the file "
      "system a run counts as running while its heartbeat is fresh.\n"
      "With several runs --json has them as `runs`.\n"
      "States: running; done; stopped or lost (the same command continues); failed (needs a fix); new.");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("status");
  while (true) {
    std::vector<RunStatus> all;
    for (const auto& run : what) all.push_back(status_of(run));
    if (watch && isatty(STDOUT_FILENO) != 0) std::fputs("\033[H\033[2J", stdout);
    nlohmann::ordered_json result = nlohmann::ordered_json::array();
    bool running = false;
    for (const RunStatus& status : all) {
      std::fputs(((result.empty() ? "" : "\n") + describe(status, epoch_seconds())).c_str(), stdout);
      result.push_back(to_json(status));
      running = running || status.state == "running";
    }
    std::fflush(stdout);
    app.result(all.size() == 1 ? result.front() : nlohmann::ordered_json{{"runs", result}});
    if (!watch || !running || std::ferror(stdout) != 0) return ExitCode::Done;
    std::this_thread::sleep_for(std::chrono::duration<double>(interval));
  }
}

}  // namespace facemae
