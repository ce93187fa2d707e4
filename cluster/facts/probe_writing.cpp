// How a folder takes small durable files, as commits of a run write them; all that is written is removed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "cluster/facts/probes.h"
#include "core/error.h"
#include "core/files/temporary_file.h"

namespace facemae {
namespace {

constexpr std::size_t kBytes = 4096;  ///< of a file; a block of O_DIRECT

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

/// 1 or 0: reads past the page cache work or not.
int reads_directly(const Path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (descriptor < 0) return 0;
  const std::unique_ptr<void, decltype(&std::free)> block(std::aligned_alloc(kBytes, kBytes), &std::free);
  const bool read = block && ::pread(descriptor, block.get(), kBytes, 0) == static_cast<ssize_t>(kBytes);
  ::close(descriptor);
  return read ? 1 : 0;
}

/// Seconds by which the file system's clock is ahead of ours, by a file that was just written.
double clock_ahead(const Path& file, std::chrono::system_clock::time_point before,
                   std::chrono::system_clock::time_point after) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0) return 0;
  const double changed =
      static_cast<double>(facts.st_mtim.tv_sec) + static_cast<double>(facts.st_mtim.tv_nsec) * 1e-9;
  const auto seconds = [](std::chrono::system_clock::time_point time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
  };
  return changed < seconds(before) ? changed - seconds(before) : std::max(0.0, changed - seconds(after));
}

}  // namespace

void probe_writing(FileSystem& files, FolderPlace& folder, int rounds) {
  const Path name = Path(folder.looked_at) / ".doctor";
  std::vector<double> seconds;
  try {
    const Path final = own_temporary(name);
    const struct Removed {
      ~Removed() { std::filesystem::remove(path, unseen); }
      Path path;
      mutable std::error_code unseen;
    } removed{final, {}};
    constexpr double kEnough = 1;  // seconds: of slow storage a few files tell as much
    const auto first = std::chrono::steady_clock::now();
    for (int round = 0; round == 0 || (round < rounds && seconds_since(first) < kEnough); ++round) {
      const auto begun = std::chrono::steady_clock::now();
      const auto before = std::chrono::system_clock::now();
      write_durably(files, final, std::string(kBytes, 'd'));
      seconds.push_back(seconds_since(begun));
      folder.clock = clock_ahead(final, before, std::chrono::system_clock::now());
      folder.clock_known = true;
    }
    folder.direct = reads_directly(final);
  } catch (const FileError& error) {
    folder.fault = std::strerror(error.code());
    return;
  }
  std::sort(seconds.begin(), seconds.end());
  folder.sync_p50 = seconds[seconds.size() / 2];
  folder.sync_p99 = seconds.back();  // of so few
}

}  // namespace facemae
