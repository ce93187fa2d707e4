#include "app/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <span>
#include <thread>

#include "app/command.h"
#include "cluster/host/agree.h"
#include "core/host.h"
#include "core/log.h"
#include "core/options/help_text.h"
#include "core/program_version.h"
#include "core/signals.h"
#include "data/hdf5/hdf5.h"
#include "trainer/files/version.h"

namespace facemae {
namespace {

std::string program_help() {
  std::string text =
      "facemae: FaceMAE training on MPI clusters, from faces to a measured release\n\n"
      "  facemae COMMAND [OPTIONS]        facemae help COMMAND | all        facemae --version\n";
  const int width = help_width();
  std::string heading;
  for (const auto& command : all_commands()) {
    if (heading != command.heading) text += "\n" + (heading = command.heading) + ":\n";
    text += in_column(command.name, command.summary, 15, width);
  }
  text +=
      "\nA first run, on synthetic faces:\n"
      "  facemae synth --out faces --identities 100 --images-per-identity 20\n"
      "  mpirun -n 2 --bind-to none facemae pretrain --store faces --run runs/first --epochs 5 --batch 64 --patch 16\n\n"
      "Unofficial; no formal privacy guarantee. Exit codes: 0 done, 2 wrong command line or path, 3 (checkpoint diff) "
      "not equal, 65 bad data or a damaged checkpoint, "
      "66 release refused, 75 a peer was lost (restart), 76 stopped with a commit (requeue), 93 do not requeue.\n";
  return wrapped(text, width);
}

std::string version_text(const BackEnds& back_ends) {
  std::string text = fmt::format("facemae {}\nLibTorch {}\n{}\nHDF5 {}\n", program_version(),
                                 libtorch_version(), back_ends.back().version(), hdf5::version());
  for (const auto& back_end : std::span(back_ends).first(back_ends.size() - 1))
    text += back_end.version() + "\n";
  return text;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : all_commands()) {
    if (name == command.name) return command;
    names.emplace_back(command.name);
  }
  names.emplace_back("help");
  throw unknown_command(name, name, names);
}

/// Every help text there is, each on a page of its own: what scripts/manual.sh makes the man page of.
ExitCode print_all_help(App& app) {
  std::fputs(program_help().c_str(), stdout);
  for (const auto& command : all_commands()) {
    std::fputs("\f", stdout);
    const std::vector<std::string> words = {"--help", "all"};
    command.run(app, words);
  }
  return ExitCode::Done;
}

ExitCode run(App& app, const BackEnds& back_ends, std::vector<std::string> words) {
  const bool help = words.empty() || asks_for_help(words[0]);
  if (help && (words.size() < 2 || asks_for_help(words[1]))) {
    std::fputs(program_help().c_str(), stdout);
    return words.empty() ? ExitCode::BadConfiguration : ExitCode::Done;
  }
  if (help && words[1] == "all") return print_all_help(app);
  if (help) {  // help COMMAND [VERB] is COMMAND --help [VERB]
    words.erase(words.begin());
    words.insert(words.begin() + 1, "--help");
  }
  if (words[0] == "--version") {
    std::fputs(version_text(back_ends).c_str(), stdout);
    return ExitCode::Done;
  }
  return find_command(words[0]).run(app, Words(words).subspan(1));
}

/// All ranks are here: MPI ends in order and rank 0 alone tells the launcher the code (others would blur it).
int end_in_order(App& app, ExitCode code) {
  if (!app.has_world()) return static_cast<int>(code);
  const auto& place = app.world().topology();
  const bool root = place.rank == 0, several = place.size > 1;
  app.world().close();
  // The others go first, or a launcher that ends them for our code returns theirs.
  if (root && several && code != ExitCode::Done) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  return root ? static_cast<int>(code) : 0;
}

void report(const std::string& what) { std::fprintf(stderr, "facemae: %s\n", what.c_str()); }

/// Where it was raised, too, at --log-level debug and trace.
void report(const App& app, const std::exception& error, const std::string& rank = "") {
  report(rank + error.what());
  const std::string place = place_of(error);
  if ((app.common.log_level == "debug" || app.common.log_level == "trace") && !place.empty())
    report(rank + "raised at " + place);
}

/// What was printed may not have arrived: a full disk shows at the last flush. Who closed stdout, or reads it
/// no longer, wanted nothing.
int with_stdout_flushed(int code) {
  errno = 0;
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  const int reason = errno;
  if (written || code != 0 || ::fcntl(STDOUT_FILENO, F_GETFD) < 0 || nobody_reads_stdout()) return code;
  report(std::string("writing to stdout failed") + (reason == 0 ? "" : ": ") +
         (reason == 0 ? "" : std::strerror(reason)));
  return static_cast<int>(ExitCode::Crash);
}

}  // namespace

int run_program(const BackEnds& back_ends, const Accelerator& gpus, const std::vector<std::string>& words) {
  keep_freed_memory();
  ignore_failed_writes();
  App app(back_ends, gpus);
  try {
    return with_stdout_flushed(end_in_order(app, run(app, back_ends, words)));
  } catch (const AgreedError& error) {
    if (app.world_refused()) {  // a host lacks the devices that others have; MPI has ended
      if (launched_rank() == 0) report(app, error);
      return launched_rank() == 0 ? static_cast<int>(error.code()) : 0;
    }
    if (app.world().topology().rank == 0) report(app, error);
    return end_in_order(app, error.code());
  } catch (const std::exception& error) {
    const ExitCode code = exit_code_for(error);
    if (app.world_refused()) {  // no such device or back end, on every rank alike; MPI has ended
      if (launched_rank() == 0) report(app, error);
      return static_cast<int>(code);
    }
    if (!app.has_world()) {  // the words themselves are wrong, on every rank alike
      try {
        if (app.world({.device = "cpu"}).topology().rank == 0) report(app, error);
      } catch (const std::exception&) {  // the launch is the fault
        report(app, error);
        return static_cast<int>(code);
      }
      return end_in_order(app, code);
    }
    report(app, error,
           app.world().topology().size > 1 ? fmt::format("rank {}: ", app.world().topology().rank) : "");
    if (app.world().topology().size > 1) app.world().die(static_cast<int>(code));
    return static_cast<int>(code);
  }
}

}  // namespace facemae
