#include "core/files/owner_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace facemae {
namespace {

class OwnerFiles final : public FileSystem {
 public:
  std::unique_ptr<OutputFile> create(const Path& path) override {
    tighten(path, O_CREAT | O_TRUNC);
    return real_files().create(path);
  }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    tighten(path, O_CREAT);
    return real_files().open_append(path);
  }
  void rename(const Path& from, const Path& to) override { real_files().rename(from, to); }
  void remove(const Path& path) override { real_files().remove(path); }
  void make_folder(const Path& path) override {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
      throw FileError("making folder " + path.string() + ": " + std::strerror(errno), errno);
  }
  void sync_folder(const Path& path) override { real_files().sync_folder(path); }

 private:
  static void tighten(const Path& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) throw FileError("creating " + path.string() + ": " + std::strerror(errno), errno);
    const int result = ::fchmod(descriptor, 0600), code = errno;
    ::close(descriptor);
    if (result != 0) throw FileError("closing " + path.string() + " to others: " + std::strerror(code), code);
  }
};

}  // namespace

FileSystem& owner_files() {
  static OwnerFiles files;
  return files;
}

}  // namespace facemae
