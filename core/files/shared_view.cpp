#include "core/files/shared_view.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "core/log.h"

namespace facemae {
namespace {

/// Opening a folder makes a network file system check what it remembers of it.
void look_anew(const Path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) ::close(descriptor);
}

/// "" when the file exists and has its size.
std::string fault_of(const Path& folder, const ExpectedFile& expected) {
  const int descriptor = ::open((folder / expected.name).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0)
    return expected.name + (errno == ENOENT ? " is not there" : fmt::format(": {}", std::strerror(errno)));
  struct stat found {};
  const bool known = ::fstat(descriptor, &found) == 0;
  const int code = errno;
  ::close(descriptor);
  if (!known) return fmt::format("{}: {}", expected.name, std::strerror(code));
  if (static_cast<std::uint64_t>(found.st_size) == expected.bytes) return "";
  return fmt::format("{} has {} of {} bytes", expected.name, found.st_size, expected.bytes);
}

}  // namespace

std::vector<std::string> unseen_after(const Path& folder, const std::vector<ExpectedFile>& expected,
                                      std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::vector<ExpectedFile> left = expected;
  for (auto pause = std::chrono::milliseconds(10);;
       pause = std::min(2 * pause, std::chrono::milliseconds(1000))) {
    look_anew(folder.parent_path());
    look_anew(folder);
    std::vector<std::string> faults;
    std::erase_if(left, [&](const ExpectedFile& file) {
      std::string fault = fault_of(folder, file);
      if (fault.empty()) return true;
      faults.push_back(std::move(fault));
      return false;
    });
    const auto now = std::chrono::steady_clock::now();
    if (left.empty() || now >= until) return faults;
    std::this_thread::sleep_for(std::min(pause, std::chrono::ceil<std::chrono::milliseconds>(until - now)));
  }
}

}  // namespace facemae
