#include "core/files/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/files/output_place.h"
#include "core/files/temporary_file.h"
#include "core/log.h"

namespace facemae {
namespace {

[[noreturn]] void fail(const std::string& doing, const Path& path, int code = errno,
                       std::source_location at = std::source_location::current()) {
  const char* remedy =
      code == EMFILE
          ? " (more are needed than `ulimit -Hn` allows: raise it, as by LimitNOFILE or limits.conf)"
          : "";
  throw FileError(doing + " " + path.string() + ": " + std::strerror(code) + remedy, code, at);
}

/// A killed or full write left a line without its end: what follows begins a new one.
bool ends_within_a_line(const Path& path) {
  std::error_code unseen;
  const auto size = std::filesystem::file_size(path, unseen);
  if (unseen || size == 0) return false;
  std::byte last{};
  InputFile(path).read_at(size - 1, {&last, 1});
  return last != std::byte{'\n'};
}

class RealOutput final : public OutputFile {
 public:
  RealOutput(Path path, int flags) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), flags | O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail("creating", path_);
  }
  /// A duplicate of an open descriptor, so that whatever else is written there keeps its place.
  static std::unique_ptr<RealOutput> copy_of(int descriptor, const Path& path) {
    std::unique_ptr<RealOutput> copy(new RealOutput(path));
    if ((copy->descriptor_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) < 0) fail("opening", path);
    return copy;
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
  explicit RealOutput(Path path) : path_(std::move(path)) {}
  Path path_;
  int descriptor_ = -1;
};

/// Opening a pipe waits for a reader, who may never come.
std::unique_ptr<OutputFile> opened_pipe(const Path& path) {
  const int early = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (early < 0 && errno == ENXIO)
    spdlog::warn("{} is a pipe that nobody reads yet: waiting for a reader", path.string());
  auto out = std::make_unique<RealOutput>(path, O_NOCTTY);
  if (early >= 0) ::close(early);  // only now: a reader would take it for the end
  return out;
}

/// For outputs that are not plain files of their own, which a new one could replace: a pipe, a
/// device, our stdout.
std::unique_ptr<OutputFile> written_into(const Path& path) {
  if (!is_written_into(path)) return nullptr;
  if (const int stream = own_stream(path); stream >= 0) {
    std::fflush(nullptr);
    return RealOutput::copy_of(stream, path);
  }
  if (std::filesystem::is_fifo(path)) return opened_pipe(path);
  return std::make_unique<RealOutput>(path, O_NOCTTY);
}

void write_and_rename(FileSystem& files, const Path& path, const std::function<void(OutputFile&)>& write) {
  TemporaryFile temporary(files, path);
  auto out = files.create(temporary.path());
  write(*out);
  out->sync();
  out->close();
  temporary.publish();
}

class RealFiles final : public FileSystem {
 public:
  std::unique_ptr<OutputFile> create(const Path& path) override {
    return std::make_unique<RealOutput>(path, O_CREAT | O_TRUNC);
  }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    return std::make_unique<RealOutput>(path, O_CREAT | O_APPEND);
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
    // Some file systems (CIFS, several of FUSE) sync no folders: their names are as durable as they get.
    if (result != 0 && code != EINVAL && code != ENOTSUP) fail("syncing folder", path, code);
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
  write_and_rename(files, path, [bytes](OutputFile& out) { out.write(bytes); });
}

void write_output(FileSystem& files, const Path& path, const std::function<void(OutputFile&)>& write) {
  if (const auto out = written_into(path)) {
    try {
      write(*out);
      return out->close();
    } catch (const FileError& error) {
      if (error.code() != EPIPE || own_stream(path) < 0) throw;
      return;  // who reads our stdout has seen enough
    }
  }
  write_and_rename(files, without_links(path), write);
}

void write_output(FileSystem& files, const Path& path, Bytes bytes) {
  write_output(files, path, [bytes](OutputFile& out) { out.write(bytes); });
}

void write_whole(FileSystem& files, const Path& path, const std::string& text) {
  auto out = files.create(path);
  out->write(bytes_of(text));
  out->close();
}

void append_line_durably(FileSystem& files, const Path& path, const std::string& line) {
  const std::string torn = ends_within_a_line(path) ? "\n" : "";
  auto out = files.open_append(path);
  out->write(bytes_of(torn + line + "\n"));
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
  std::error_code unseen;  // a path that cannot be examined does not count
  if (std::filesystem::is_directory(path, unseen))
    throw ConfigError(said + "this is a folder, but a file is expected");
  if (std::filesystem::exists(path, unseen) && !std::filesystem::is_regular_file(path, unseen)) {
    if (::access(path.c_str(), W_OK) != 0) throw ConfigError(said + std::strerror(errno));
    return;
  }
  const Path place = without_links(path);
  const Path folder = place.has_parent_path() ? place.parent_path() : Path(".");
  if (::access(folder.c_str(), W_OK | X_OK) != 0 || !std::filesystem::is_directory(folder, unseen))
    throw ConfigError(said + "there is no folder " + folder.string() + ", or no file can be created in it");
}

std::string read_file(const Path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
    return read_plain_file(path);
  // The length is unknown: a pipe, a device or a file of /proc.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) fail("opening", path);
  std::string text;
  std::array<char, 1 << 16> piece;
  while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), file.get()))
    text.append(piece.data(), n);
  if (std::ferror(file.get()) != 0) fail("reading", path);
  return text;
}

std::string read_plain_file(const Path& path) {
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

// Without O_NONBLOCK, opening a pipe would wait for a writer.
InputFile::InputFile(const Path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {
  struct stat info {};
  const int code = descriptor_ < 0 || ::fstat(descriptor_, &info) != 0 ? errno  // ENXIO for a socket
                   : S_ISREG(info.st_mode)                             ? 0
                   : S_ISDIR(info.st_mode)                             ? EISDIR
                                                                       : ENXIO;
  if (code == 0) return;
  if (descriptor_ >= 0) ::close(descriptor_);
  if (code != ENXIO) fail("opening", path, code);
  throw FileError("opening " + path.string() + ": it is a pipe, a device or a socket, not a plain file",
                  code);
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
  // Only whole pages are dropped, so the range is widened to them. This is advice; nothing depends on it.
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
