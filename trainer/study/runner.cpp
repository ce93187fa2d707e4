#include "trainer/study/runner.h"

#include <algorithm>
#include <thread>

#include "core/clock.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/files/folder_lock.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/signals.h"
#include "core/text.h"
#include "trainer/study/child.h"

namespace facemae {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What the command wrote from its last "facemae: ..." on, else its last line; cut where it is long.
std::string last_words(const Path& log) {
  constexpr std::size_t kTold = 400;
  std::vector<std::string> told;
  bool fault = false;
  for (const auto& line : split(read_plain_file(log), '\n')) {
    const std::string words = trim(line);
    if (words.empty()) continue;
    const bool begins = words.rfind("facemae: ", 0) == 0;
    if (begins || !fault) told.clear();
    fault = fault || begins;
    told.push_back(begins ? words.substr(9) : words);
  }
  const std::string text = join(told, " ");
  return text.size() <= kTold ? text : text.substr(0, kTold) + " ...";
}

class StudyRunner {
 public:
  StudyRunner(FileSystem& files, const std::vector<StudyUnit>& units, const RunnerConfig& config)
      : files_(files),
        units_(units),
        config_(config),
        records_(units.size()),
        progress_("study", units.size(), "units", config.show) {
    make_folders(files, config.out / "logs");
    refresh();
    progress_.start_from(counted_ = ended());
  }

  StudyEnd run() {
    warn_of_neighbour();
    for (;;) {
      if (notice_received() != 0) return StudyEnd::Stopped;
      refresh();
      const std::uint64_t now = ended();
      if (now > counted_) progress_.advance(now - counted_);
      counted_ = std::max(counted_, now);
      const auto states = states_of(units_, records_);
      if (!has(states, UnitState::Ready)) {
        progress_.finish();
        return StudyEnd::Finished;
      }
      const Claimed claimed = claim(states);
      if (claimed.lock) {
        if (!run_unit(claimed.unit)) return StudyEnd::Stopped;
      } else if (config_.wait || has(states, UnitState::Blocked)) {
        std::this_thread::sleep_for(config_.pause);
      } else {
        return StudyEnd::LeftToOthers;
      }
    }
  }

 private:
  struct Claimed {
    std::size_t unit = 0;
    std::unique_ptr<FolderLock> lock;
  };

  static bool has(const std::vector<UnitState>& states, UnitState state) {
    return std::find(states.begin(), states.end(), state) != states.end();
  }

  /// Units that will not run any more.
  std::uint64_t ended() const {
    const auto states = states_of(units_, records_);
    return static_cast<std::uint64_t>(std::count_if(states.begin(), states.end(), [](UnitState state) {
      return state != UnitState::Ready && state != UnitState::Blocked;
    }));
  }

  void refresh() {
    for (std::size_t u = 0; u < units_.size(); ++u)
      if (!records_[u]) records_[u] = read_record(config_.out, units_[u]);
  }

  /// The first ready unit that no other process has, from this process's own place in the list on.
  Claimed claim(const std::vector<UnitState>& states) {
    const auto begin = static_cast<std::size_t>(config_.first * static_cast<double>(units_.size()));
    for (std::size_t i = 0; i < units_.size(); ++i) {
      const std::size_t u = (begin + i) % units_.size();
      if (states[u] != UnitState::Ready) continue;
      auto lock =
          FolderLock::if_free(lock_folder_of(config_.out, units_[u]),
                              {.thing = units_[u].id, .work = "facemae compare", .otherwise = "wait"});
      if (!lock) continue;
      records_[u] = read_record(config_.out, units_[u]);  // another may have ended it since
      if (!records_[u]) return {u, std::move(lock)};
    }
    return {};
  }

  /// Another start may have a unit on cores that we use as well and that nobody has divided.
  void warn_of_neighbour() const {
    if (config_.share.cores.any()) return;
    for (const auto& unit : units_) {
      const std::string neighbour = neighbour_on_cores(lock_folder_of(config_.out, unit) / LockConfig().name);
      if (neighbour.empty()) continue;
      spdlog::warn(
          "{} works on the same cores: threads of trainings will wait for each other, and all get several times slower. "
          "Stop both and give each start cores of its own (taskset -c 0-3 facemae compare ...), or let one divide them "
          "(mpirun -n 2 --bind-to none facemae compare ...)",
          neighbour);
      return;
    }
  }

  std::vector<std::string> command_of(const StudyUnit& unit) const {
    std::vector<std::string> words;
    words = config_.launcher;
    words.push_back(config_.program);
    words.insert(words.end(), unit.words.begin(), unit.words.end());
    words.insert(words.end(), config_.device.begin(), config_.device.end());
    return words;
  }

  /// False when it was stopped by a notice.
  bool run_unit(std::size_t u) {
    const StudyUnit& unit = units_[u];
    const Path log = log_of(config_.out, unit);
    for (int start = 1;; ++start) {
      spdlog::info("{}: {} (log: {})", start == 1 ? "begins" : "begins again", unit.id, log.string());
      const auto began = Clock::now();
      const int code =
          run_child({.words = command_of(unit), .folder = config_.out, .log = log, .share = config_.share});
      UnitEnd ended = judge_exit(code, notice_received() != 0);
      if (ended == UnitEnd::Stopped) return false;
      if (ended == UnitEnd::TryAgain && start < config_.starts) {
        spdlog::warn("{} ended with {}; it is started again and goes on where it was", unit.id, code);
        std::this_thread::sleep_for(config_.pause);
        continue;
      }
      UnitRecord record{.code = code, .seconds = seconds_since(began), .said = ""};
      if (ended != UnitEnd::Done) {
        record.said = last_words(log);
        spdlog::error("{} has failed with {}, and the study goes on without it: {}", unit.id, code,
                      record.said);
      }
      failpoint("study.unit");
      write_record(files_, config_.out, unit, record);
      return true;
    }
  }

  FileSystem& files_;
  const std::vector<StudyUnit>& units_;
  const RunnerConfig& config_;
  std::vector<std::optional<UnitRecord>> records_;
  Progress progress_;
  std::uint64_t counted_ = 0;
};

}  // namespace

UnitEnd judge_exit(int code, bool noticed) {
  if (code == 0) return UnitEnd::Done;
  if (code == static_cast<int>(ExitCode::Stopped)) return UnitEnd::Stopped;
  const bool crashed =
      code == static_cast<int>(ExitCode::Crash) || code == static_cast<int>(ExitCode::PeerLost) || code > 128;
  if (!crashed) return UnitEnd::Failed;
  return noticed ? UnitEnd::Stopped : UnitEnd::TryAgain;
}

void try_command(const StudyUnit& unit, const RunnerConfig& config) {
  const Path log = config.out / "refused.log";
  std::filesystem::remove(log);
  std::vector<std::string> words{config.program};
  words.insert(words.end(), unit.words.begin(), unit.words.end());
  words.emplace_back("--print-config");
  const int code = run_child({.words = words, .folder = config.out, .log = log});
  const std::string said = last_words(log);
  std::filesystem::remove(log);
  if (code != 0) throw ConfigError(fmt::format("facemae {} would be refused: {}", unit.words.front(), said));
}

StudyEnd run_units(FileSystem& files, const std::vector<StudyUnit>& units, const RunnerConfig& config) {
  return StudyRunner(files, units, config).run();
}

}  // namespace facemae
