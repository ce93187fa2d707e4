#include "core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/temporary_file.h"

namespace facemae {
namespace {

[[noreturn]] void fail(const std::string& doing, const Path& path, int code = errno,
                       std::source_location at = std::source_location::current()) {
  throw FileError(doing + " " + path.string() + ": " + std::strerror(code), code, at);
}

class RealOutput final : public OutputFile {
 public:
  RealOutput(Path path, int flags) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail("creating", path_);
  }
  ~RealOutput() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1u << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("writing", path_);
      if (n == 0) fail("writing", path_, ENOSPC);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }
  void sync() override {
    if (::fsync(descriptor_) != 0) fail("syncing", path_);
  }
  void close() override {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail("closing", path_);
  }

 private:
  Path path_;
  int descriptor_ = -1;
};

class RealFiles final : public FileSystem {
 public:
  std::unique_ptr<OutputFile> create(const Path& path) override {
    return std::make_unique<RealOutput>(path, O_TRUNC);
  }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    return std::make_unique<RealOutput>(path, O_APPEND);
  }
  void rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) fail("renaming to " + to.string() + " from", from);
  }
  void remove(const Path& path) override {
    if (::remove(path.c_str()) != 0 && errno != ENOENT) fail("removing", path);
  }
  void make_folder(const Path& path) override {
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) fail("making folder", path);
  }
  void sync_folder(const Path& path) override {
    const int descriptor = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) fail("opening folder", path);
    const int result = ::fsync(descriptor);
    const int code = errno;
    ::close(descriptor);
    if (result != 0) fail("syncing folder", path, code);
  }
};

class RealInputs final : public InputFiles {
 public:
  std::unique_ptr<ReadableFile> open(const Path& path) override { return std::make_unique<InputFile>(path); }
};

}  // namespace

InputFiles& real_inputs() {
  static RealInputs inputs;
  return inputs;
}

void FileSystem::sync_all(const Path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail("opening", path);
  const int result = ::syncfs(descriptor);
  const int code = errno;
  ::close(descriptor);
  if (result != 0) fail("syncing the disk of", path, code);
}

FileSystem& real_files() {
  static RealFiles files;
  return files;
}

void write_durably(FileSystem& files, const Path& path, Bytes bytes) {
  TemporaryFile temporary(files, path);
  auto out = files.create(temporary.path());
  out->write(bytes);
  out->sync();
  out->close();
  temporary.publish();
}

void write_whole(FileSystem& files, const Path& path, const std::string& text) {
  auto out = files.create(path);
  out->write(bytes_of(text));
  out->close();
}

void append_line_durably(FileSystem& files, const Path& path, const std::string& line) {
  auto out = files.open_append(path);
  out->write(bytes_of(line + "\n"));
  out->sync();
  out->close();
}

void make_folders(FileSystem& files, const Path& path) {
  if (path.empty() || std::filesystem::is_directory(path)) return;
  const Path parent = path.parent_path();
  make_folders(files, parent);
  files.make_folder(path);
  files.sync_folder(parent);
}

void expect_place_for(const std::string& option, const Path& path) {
  if (path.empty()) return;
  const std::string said = "--" + option + " " + path.string() + ": ";
  std::error_code unseen;  // what cannot be looked at is no place, either
  if (std::filesystem::is_directory(path, unseen))
    throw ConfigError(said + "this is a folder, a file is expected");
  const Path folder = path.has_parent_path() ? path.parent_path() : Path(".");
  if (::access(folder.c_str(), W_OK | X_OK) != 0 || !std::filesystem::is_directory(folder, unseen))
    throw ConfigError(said + "there is no folder " + folder.string() + ", or no file may be made in it");
}

std::string read_file(const Path& path) {
  const InputFile file(path);
  std::string text(file.size(), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

std::vector<std::byte> read_bytes(const Path& path) {
  const InputFile file(path);
  std::vector<std::byte> bytes(file.size());
  file.read_at(0, bytes);
  return bytes;
}

InputFile::InputFile(const Path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail("opening", path);
}
InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::uint64_t InputFile::size() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) fail("reading the size of", path_);
  return static_cast<std::uint64_t>(info.st_size);
}

void InputFile::forget(std::uint64_t offset, std::uint64_t bytes) const {
  // Only whole pages are dropped, so the range is widened to them. Advice: nothing depends on it.
  constexpr std::uint64_t page = 1 << 16;
  const std::uint64_t first = offset / page * page, last = (offset + bytes + page - 1) / page * page;
  ::posix_fadvise(descriptor_, static_cast<off_t>(first), static_cast<off_t>(last - first),
                  POSIX_FADV_DONTNEED);
}

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("reading at " + std::to_string(offset) + " of", path_);
    if (n == 0) throw FileError("short read at " + std::to_string(offset) + " of " + path_.string(), EIO);
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

}  // namespace facemae
