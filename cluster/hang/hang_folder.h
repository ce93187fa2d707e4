#pragma once
// RUN/hang/<start>/: where ranks that cannot reach each other any more leave their reports. Made
// by the first report.
#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "cluster/hang/hang_report.h"
#include "cluster/hang/hang_verdict.h"
#include "core/files/files.h"

namespace facemae {

/// One rank's view. Nothing throws: a report that cannot be written or read is a rank that is missing. What
/// is `fresh` was written at most that long before this rank's own report, by the clock of the file server:
/// those of the nodes do not matter.
class HangFolder {
 public:
  HangFolder(FileSystem& files, Path folder, int rank);

  /// Writes rank<r>.json, by a rename, so that readers see all of it or nothing. It also makes a network file
  /// system look at the folder anew, which it may otherwise remember for half a minute.
  void write(const HangReport& report) noexcept;

  /// Asks all ranks for a report, unless a lower one does already.
  void call(Seconds fresh) noexcept;
  /// True when somebody has called since the last time.
  bool called() noexcept;
  /// The rank that called last.
  std::optional<int> caller(Seconds fresh) noexcept;

  /// The other ranks' reports that are fresh, and `own`; by rank.
  std::vector<HangReport> read(const HangReport& own, Seconds fresh) noexcept;

  /// report.json: what came out.
  void conclude(const Verdict& verdict) noexcept;
  /// What another rank found, if it is newer than this rank's report.
  std::optional<Verdict> conclusion() noexcept;

 private:
  using Time = std::filesystem::file_time_type;
  Path file_of(int rank) const;
  Path call_file() const { return folder_ / "call"; }
  /// Not older than `fresh` before own_.
  bool is_fresh(const Path& path, Seconds fresh) const;

  FileSystem& files_;
  Path folder_;
  int rank_;
  Time own_{};    ///< this rank's report was written
  Time heard_{};  ///< the call that was answered last
};

}  // namespace facemae
