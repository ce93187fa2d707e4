#pragma once
// RUN/hang/<start>/: where ranks that cannot reach each other any more leave their reports. Made
// by the first report.
#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "cluster/hang/inquest.h"
#include "core/files/files.h"

namespace facemae {

/// One rank's view. What is fresh goes by the clock of the file server: those of the nodes do not matter.
class HangFolder final : public HangMail {
 public:
  HangFolder(FileSystem& files, Path folder, int rank);

  /// Writes rank<r>.json, by a rename, so that readers see all of it or nothing. It also makes a network file
  /// system look at the folder anew, which it may otherwise remember for half a minute.
  void write(const HangReport& report) noexcept override;
  void call(Seconds fresh) noexcept override;
  bool called() noexcept override;
  std::optional<int> caller(Seconds fresh) noexcept override;
  std::vector<HangReport> read(const HangReport& own, Seconds fresh) noexcept override;
  void conclude(const Verdict& verdict) noexcept override;  ///< report.json
  std::optional<Verdict> conclusion() noexcept override;

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
