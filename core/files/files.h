#pragma once
// Durable file writes and positioned reads behind small interfaces, so that tests can fill the disk, tear
// writes, record operations, and damage what is read.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"

namespace facemae {

using Path = std::filesystem::path;

/// A file being written. Nothing is durable before sync() returned. The destructor closes without reporting.
class OutputFile {
 public:
  virtual ~OutputFile() = default;
  virtual void write(Bytes bytes) = 0;  ///< appends all of it; throws FileError (a short write is one)
  virtual void sync() = 0;   ///< fsync; after a failure the file must be given up, never synced again
  virtual void close() = 0;  ///< throws FileError: late ENOSPC arrives here
};

/// The file operations whose order matters for durability. All throw FileError.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual std::unique_ptr<OutputFile> create(const Path& path) = 0;       ///< truncates what is there
  virtual std::unique_ptr<OutputFile> open_append(const Path& path) = 0;  ///< creates it when missing
  virtual void rename(const Path& from, const Path& to) = 0;
  virtual void remove(const Path& path) = 0;       ///< a file or an empty folder; missing is fine
  virtual void make_folder(const Path& path) = 0;  ///< one level; existing is fine
  virtual void sync_folder(const Path& path) = 0;  ///< makes names in it durable
  /// Makes everything durable that was written to the disk that holds `path`: for very many small files,
  /// where one fsync each takes hours.
  virtual void sync_all(const Path& path);
};

/// The operating system's files. Stateless; lives for the whole program.
FileSystem& real_files();

/// Writes `path` so that it is there in full or not at all after any crash: path.tmp, fsync,
/// rename, folder fsync.
void write_durably(FileSystem& files, const Path& path, Bytes bytes);
inline void write_durably(FileSystem& files, const Path& path, const std::string& text) {
  write_durably(files, path, bytes_of(text));
}
/// Writes a file that the user named, by `write`: as write_durably does, but a link stays a link to what is
/// replaced, and a pipe, a device or our own stdout (/dev/stdout, /dev/null, >(command)) is written into.
void write_output(FileSystem& files, const Path& path, const std::function<void(OutputFile&)>& write);
void write_output(FileSystem& files, const Path& path, Bytes bytes);
inline void write_output(FileSystem& files, const Path& path, const std::string& text) {
  write_output(files, path, bytes_of(text));
}
/// Writes `path` in one go, without syncing: for what may be lost or torn by a crash.
void write_whole(FileSystem& files, const Path& path, const std::string& text);
/// Appends one line and fsyncs.
void append_line_durably(FileSystem& files, const Path& path, const std::string& line);
/// Makes `path` and its missing parents, durably.
void make_folders(FileSystem& files, const Path& path);

/// Before long work whose result goes to `path` ("" is fine): throws ConfigError naming the option when a
/// file could not be made there.
void expect_place_for(const std::string& option, const Path& path);

/// A file that the user named, to its end: also a pipe, which is waited for, /dev/stdin or a file of
/// /proc. Throws FileError.
std::string read_file(const Path& path);
/// A file of our own, or one found in a folder: a plain file only (see InputFile), so never waited for.
std::string read_plain_file(const Path& path);
/// The same as bytes, for images.
std::vector<std::byte> read_bytes(const Path& path);

/// A file open for positioned reads; const calls are safe from many threads.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  /// Exactly out.size() bytes at offset; a short read throws FileError (code EIO) naming the file and offset.
  virtual void read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
  /// Drops what the page cache holds of this range, so that the next read asks the storage again.
  virtual void forget(std::uint64_t offset, std::uint64_t bytes) const = 0;
};

/// Where files are opened for reading, so that tests can flip, truncate, lose and delay what is read.
class InputFiles {
 public:
  virtual ~InputFiles() = default;
  virtual std::unique_ptr<ReadableFile> open(const Path& path) = 0;  ///< throws FileError; any thread
};

/// The operating system's files. Stateless; lives for the whole program.
InputFiles& real_inputs();

/// A plain file open for reading. Move-only.
class InputFile final : public ReadableFile {
 public:
  /// Throws FileError, also (ENXIO, or EISDIR) at once for a pipe, a device, a socket or a folder.
  explicit InputFile(const Path& path);
  ~InputFile() override;
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  std::uint64_t size() const;
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override;
  void forget(std::uint64_t offset, std::uint64_t bytes) const override;
  const Path& path() const noexcept { return path_; }

 private:
  Path path_;
  int descriptor_ = -1;
};

}  // namespace facemae
