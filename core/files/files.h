#pragma once
// Writes files durably and reads them at given positions, behind small interfaces, so that tests can fill the
// disk, tear writes, record operations and damage what is read.
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

/// A file being written. Nothing is durable before sync() has returned. The destructor reports no errors.
class OutputFile {
 public:
  virtual ~OutputFile() = default;
  virtual void write(Bytes bytes) = 0;  ///< appends all of it; throws FileError, also for a short write
  virtual void sync() = 0;   ///< fsync; after a failure the file must be abandoned, never synced again
  virtual void close() = 0;  ///< throws FileError: a late ENOSPC surfaces here
};

/// The file operations whose order matters for durability. All throw FileError.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual std::unique_ptr<OutputFile> create(const Path& path) = 0;       ///< truncates an existing file
  virtual std::unique_ptr<OutputFile> open_append(const Path& path) = 0;  ///< creates it if missing
  virtual void rename(const Path& from, const Path& to) = 0;
  virtual void remove(const Path& path) = 0;       ///< a file or an empty folder; may be missing
  virtual void make_folder(const Path& path) = 0;  ///< one level; may exist already
  virtual void sync_folder(const Path& path) = 0;  ///< makes the names in it durable
  /// Makes durable everything that was written to the disk that holds `path`: for very many small files,
  /// where one fsync each would take hours.
  virtual void sync_all(const Path& path);
};

/// The operating system's files. Stateless; lives for the whole program.
FileSystem& real_files();

/// Writes `path` so that after any crash it exists either completely or not at all: path.tmp, fsync, rename,
/// fsync of the folder.
void write_durably(FileSystem& files, const Path& path, Bytes bytes);
inline void write_durably(FileSystem& files, const Path& path, const std::string& text) {
  write_durably(files, path, bytes_of(text));
}
/// Writes a file that the user named, through `write`: like write_durably, but a link stays a link to what is
/// replaced, and a pipe, a device or our own stdout (/dev/stdout, /dev/null, >(command)) is written into.
void write_output(FileSystem& files, const Path& path, const std::function<void(OutputFile&)>& write);
void write_output(FileSystem& files, const Path& path, Bytes bytes);
inline void write_output(FileSystem& files, const Path& path, const std::string& text) {
  write_output(files, path, bytes_of(text));
}
/// Writes `path` in one go, without syncing: for files that a crash may lose or tear.
void write_whole(FileSystem& files, const Path& path, const std::string& text);
/// Appends one line and fsyncs.
void append_line_durably(FileSystem& files, const Path& path, const std::string& line);
/// Makes `path` and its missing parents, durably.
void make_folders(FileSystem& files, const Path& path);

/// Checks, before long work whose result goes to `path` ("" is fine), that a file could be created there:
/// throws ConfigError naming the option if not.
void expect_place_for(const std::string& option, const Path& path);

/// Reads a file that the user named to its end; it may be a pipe, which is waited for, /dev/stdin or a file
/// of /proc. Throws FileError.
std::string read_file(const Path& path);
/// Reads a file of our own, or one found in a folder: only a plain file (see InputFile), so it never waits.
std::string read_plain_file(const Path& path);
/// The same as bytes, for images.
std::vector<std::byte> read_bytes(const Path& path);

/// A file open for positioned reads; const calls are safe from many threads.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  /// Reads exactly out.size() bytes; a short read throws FileError (code EIO) naming file and offset.
  virtual void read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
  /// Drops what the page cache holds of this range, so that the next read goes to the storage again.
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
  /// Throws FileError; for a pipe, a device, a socket or a folder it does so at once (ENXIO or EISDIR).
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
