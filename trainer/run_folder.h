#pragma once
// RUN: the files of a run around its checkpoints (docs/FORMATS.md, "A run").
#include <cstdint>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/files.h"

namespace facemae {

/// RUN/outcome.json: how a start ended. A supervisor believes it when `start` is the start that it launched.
struct Outcome {
  std::uint32_t start = 0;
  ExitCode code = ExitCode::Done;
  std::string kind, reason;
  std::uint64_t step = 0;
};

class RunFolder {
 public:
  explicit RunFolder(Path run, FileSystem& files = real_files()) : run_(std::move(run)), files_(files) {}
  const Path& path() const noexcept { return run_; }
  Path metrics() const { return run_ / "metrics.jsonl"; }
  Path evaluations() const { return run_ / "evaluations.jsonl"; }
  Path samples() const { return run_ / "samples"; }

  /// Rank 0: makes the folders and claims the next start number by a token that nobody else can make. `fresh`
  /// moves the checkpoints of earlier starts aside first. Writes the outcome of a start that ends without a
  /// word: a lost peer.
  std::uint32_t begin_start(int world, bool fresh);
  void write_config(const std::string& text);
  /// Cuts metrics.jsonl and evaluations.jsonl back to lines with step <= `step`.
  void cut_back(std::uint64_t step);
  /// Rank 0, or the failing rank on the fatal path.
  void write_outcome(const Outcome& outcome);
  std::optional<Outcome> read_outcome() const;
  /// RUN/exits/<start>/rank<r>.json of a failing rank; never throws.
  void write_exit(const Outcome& outcome, int rank) noexcept;

 private:
  Path run_;
  FileSystem& files_;
};

}  // namespace facemae
