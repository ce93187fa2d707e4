#pragma once
// Writes HDF5 files of one-dimensional arrays and root attributes with libhdf5, behind a small move-only
// wrapper. The library's own hdf5.h is seen only by hdf5.cpp, and so is the one check of its return codes.
// Reading is done by data/hdf5/hdf5_reader.h.
#include <cstdint>
#include <mutex>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/checksum.h"
#include "core/files/files.h"
#include "data/hdf5/hdf5_reader.h"

namespace facemae::hdf5 {

using Id = std::int64_t;  ///< hid_t

/// Owns one HDF5 identifier.
class Handle {
 public:
  using Closer = int (*)(Id);
  Handle() = default;
  Handle(Id id, Closer closer) : id_(id), closer_(closer) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), closer_(std::exchange(other.closer_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      closer_ = std::exchange(other.closer_, nullptr);
    }
    return *this;
  }
  Id id() const noexcept { return id_; }
  void reset() noexcept {
    if (id_ >= 0) closer_(std::exchange(id_, -1));
  }
  /// Releases the identifier for an explicit, checked close.
  Id release() noexcept { return std::exchange(id_, -1); }

 private:
  Id id_ = -1;
  Closer closer_ = nullptr;
};

/// One HDF5 file being made; it gets a seal. Throws FileError. libhdf5 is not made for threads, so a thread
/// waits in create() while another one has a File.
class File {
 public:
  /// Truncates an existing file. No file locking. No times are stored and metadata are checksummed, so that
  /// equal content gives equal, self-checking bytes. Objects of `aligned_bytes` and more begin at multiples
  /// of 1 MiB.
  static File create(const Path& path, std::uint64_t aligned_bytes = 1 << 20);

  void make_group(const std::string& name);  ///< parents must exist

  template <class T>
  void write_array(const std::string& name, std::span<const T> values) {
    write_raw(name, type_of<T>(), values.size(), values.data());
  }
  template <class T>
  void write_array(const std::string& name, const std::vector<T>& values) {
    write_array(name, std::span<const T>(values));
  }
  /// Fixed-length UTF-8, padded with zero bytes.
  void write_texts(const std::string& name, const std::vector<std::string>& texts);
  /// A contiguous array of bytes at its full size, allocated early and never filled, for write_bytes().
  void make_blob(const std::string& name, std::uint64_t bytes);
  void write_bytes(const std::string& name, std::uint64_t offset, Bytes bytes);

  void write_attribute(const std::string& name, std::uint64_t value);
  void write_attribute(const std::string& name, const std::string& value);  ///< fixed-length UTF-8

  void flush();
  /// Reports the errors that the destructor cannot. Adds the seal, which leaves out what make_blob() made.
  /// Throws Error when Reader would find anything in another place than libhdf5 put it.
  void close();
  const Path& path() const noexcept { return path_; }

 private:
  explicit File(Path path);
  /// The one check of return codes: turns negative results into exceptions with HDF5's innermost reason.
  Id check(Id result, const std::string& doing,
           std::source_location at = std::source_location::current()) const;
  Handle own(Id id, Handle::Closer closer, const std::string& doing,
             std::source_location at = std::source_location::current()) const {
    return {check(id, doing, at), closer};
  }
  Handle dataset(const std::string& name) const;
  Handle create_dataset(const std::string& name, Id type, std::uint64_t count, bool early);
  FileRange place(const std::string& name) const;
  void write_raw(const std::string& name, Type type, std::uint64_t count, const void* values);

  std::unique_lock<std::recursive_mutex> turn_;
  Path path_;
  std::vector<std::string> arrays_;
  std::string unsealed_;  ///< name of the blob, "" if none
  Handle file_;
};

/// fsync of a closed file.
void sync(FileSystem& files, const Path& path);
/// sync() of `temporary`, rename to `final`, fsync of the folder.
void publish(FileSystem& files, const Path& temporary, const Path& final);

/// "1.10.8", the version of the library that is linked.
std::string version();

}  // namespace facemae::hdf5
