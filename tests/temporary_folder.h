#pragma once
// A folder for one test, removed at its end.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "core/error.h"
#include "core/files/files.h"

namespace facemae::test {

class TemporaryFolder {
 public:
  TemporaryFolder() : TemporaryFolder(home()) {}
  explicit TemporaryFolder(const Path& home) {
    std::string pattern = (home / "facemae-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw FileError("making a temporary folder " + pattern, errno);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const Path& path() const { return path_; }
  Path operator/(const std::string& name) const { return path_ / name; }

 private:
  /// In memory where that is possible: tests fsync thousands of times.
  static Path home() {
    const Path shared = "/dev/shm";
    return ::access(shared.c_str(), W_OK) == 0 ? shared : std::filesystem::temp_directory_path();
  }
  Path path_;
};

}  // namespace facemae::test
