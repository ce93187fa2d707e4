#pragma once
// RUN: the files of a run around its checkpoints (docs/FORMATS.md, "A run").
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/history/fences.h"
#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/files/files.h"

namespace facemae {

/// RUN/outcome.json: how a start ended. A supervisor believes it when `start` is the start that it launched.
struct Outcome {
  std::uint32_t start = 0;
  ExitCode code = ExitCode::Done;
  std::string kind, reason;
  std::uint64_t step = 0;                ///< the newest one committed
  std::uint64_t first = 0, reached = 0;  ///< the steps done when it began and when it ended
  double save_seconds = 0;               ///< of its longest save, 0: it made none
  bool asked = false;                    ///< stopped by RUN/stop (trainer/files/requests.h)
  Blame blame{};                         ///< hosts at fault, where some are
};

/// Pure. How many of the newest starts in a row did steps, committed none and ended by their own error: not
/// by notice, a lost peer or a signal from outside. Starts that did no step neither count nor end the row,
/// unless they are done.
int idle_starts(const std::vector<Outcome>& oldest_first);

class RunFolder {
 public:
  explicit RunFolder(Path run, FileSystem& files = real_files()) : run_(std::move(run)), files_(files) {}
  const Path& path() const noexcept { return run_; }
  Path metrics() const { return run_ / "metrics.jsonl"; }
  Path evaluations() const { return run_ / "evaluations.jsonl"; }
  Path samples() const { return run_ / "samples"; }

  /// Throws ConfigError when a file is where the run or a folder above it should be.
  void refuse_a_file() const;
  /// Rank 0: makes the folders and claims the next start number by a token that nobody else can make. `fresh`
  /// moves the checkpoints of earlier starts aside first. Writes the outcome of a start that ends without a
  /// word: a lost peer.
  Fence begin_start(int world, bool fresh);
  /// Rank 0: notes what the start resumed from; before that it must not commit.
  void decide(Fence& fence, std::optional<CheckpointId> resumed);
  void write_config(const std::string& text);
  /// Cuts metrics.jsonl and evaluations.jsonl back to lines with step <= `step`.
  void cut_back(std::uint64_t step);
  /// Rank 0, or the failing rank on the fatal path: RUN/outcome.json, and
  /// exits/<start>/outcome.json, which stays.
  void write_outcome(const Outcome& outcome);
  std::optional<Outcome> read_outcome() const;
  /// Whether the outcome of this start is written to its end, or another start has the run by now.
  bool left_a_word(std::uint32_t start) const;
  /// How the starts ended, oldest first; one that left no word is a lost peer.
  std::vector<Outcome> outcomes() const;
  /// RUN/exits/<start>/rank<r>.json of a failing rank; never throws.
  void write_exit(const Outcome& outcome, int rank) noexcept;

 private:
  void put_outcome(const Outcome& outcome);  ///< RUN/outcome.json alone

  Path run_;
  FileSystem& files_;
};

}  // namespace facemae
