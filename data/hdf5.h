#pragma once
// HDF5 behind a small move-only wrapper: files of one-dimensional arrays and root attributes. hdf5.h itself
// stays in hdf5.cpp, and so does the one place where its return codes are checked.
#include <cstdint>
#include <mutex>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/array.h"
#include "core/checksum.h"
#include "core/files.h"
#include "data/seal.h"

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
  /// Gives the identifier up for an explicit, checked close.
  Id release() noexcept { return std::exchange(id_, -1); }

 private:
  Id id_ = -1;
  Closer closer_ = nullptr;
};

/// Element types of arrays, little-endian in files.
enum class Type { U8, U32, I64, U64 };
template <class T>
constexpr Type type_of();
template <>
constexpr Type type_of<std::uint8_t>() {
  return Type::U8;
}
template <>
constexpr Type type_of<std::uint32_t>() {
  return Type::U32;
}
template <>
constexpr Type type_of<std::int64_t>() {
  return Type::I64;
}
template <>
constexpr Type type_of<std::uint64_t>() {
  return Type::U64;
}

/// One HDF5 file with a seal. A file opened for reading throws DataError, one being created throws FileError.
/// libhdf5 is not made for threads, so a thread waits in open() and create() while another has a File.
class File {
 public:
  /// Read-only, without file locking. The seal is checked before libhdf5 sees the file.
  static File open(const Path& path);
  /// Truncates what is there. No times are stored and metadata are checksummed, so that equal content gives
  /// equal, self-checking bytes. Objects of `aligned_bytes` and more begin at multiples of 1 MiB.
  static File create(const Path& path, std::uint64_t aligned_bytes = 1 << 20);

  bool has(const std::string& name) const;  ///< a data set or group by its path; parents must exist
  void make_group(const std::string& name);

  template <class T>
  void write_array(const std::string& name, std::span<const T> values) {
    write_raw(name, type_of<T>(), values.size(), values.data());
  }
  template <class T>
  void write_array(const std::string& name, const std::vector<T>& values) {
    write_array(name, std::span<const T>(values));
  }
  template <class T>
  std::vector<T> read_array(const std::string& name) const {
    std::vector<T> values(length(name, type_of<T>()));
    read_raw(name, type_of<T>(), values.data());
    return values;
  }
  /// Fixed-length UTF-8, padded with zero bytes.
  void write_texts(const std::string& name, const std::vector<std::string>& texts);
  std::vector<std::string> read_texts(const std::string& name) const;

  /// A contiguous array of bytes at its full size, allocated early and never filled, for write_bytes().
  void make_blob(const std::string& name, std::uint64_t bytes);
  void write_bytes(const std::string& name, std::uint64_t offset, Bytes bytes);
  void read_bytes(const std::string& name, std::uint64_t offset, std::span<std::byte> out) const;
  /// Where a contiguous array lies in the file; 0, 0 when empty. Throws DataError when it is chunked,
  /// filtered, in external files, of another type, or claims more than the file holds.
  FileRange blob(const std::string& name, Type type = Type::U8) const;
  /// The array where it lies in the file, of any alignment: shared by all processes of the host.
  template <class T>
  Array<T> map_array(const std::string& name) const {
    const FileRange at = blob(name, type_of<T>());
    return Array<T>::map(path_, at.offset, at.bytes / sizeof(T));
  }

  void write_attribute(const std::string& name, std::uint64_t value);
  void write_attribute(const std::string& name, const std::string& value);  ///< fixed-length UTF-8
  bool has_attribute(const std::string& name) const;
  std::uint64_t read_number(const std::string& name) const;
  std::string read_text(const std::string& name) const;

  void flush();
  /// Reports what the destructor cannot. A created file gets its seal here, which leaves out what make_blob()
  /// made.
  void close();
  const Path& path() const noexcept { return path_; }

 private:
  File(Path path, bool writing);
  /// The one check of return codes: negative results become exceptions with HDF5's innermost reason.
  Id check(Id result, const std::string& doing,
           std::source_location at = std::source_location::current()) const;
  Handle own(Id id, Handle::Closer closer, const std::string& doing,
             std::source_location at = std::source_location::current()) const {
    return {check(id, doing, at), closer};
  }
  Handle dataset(const std::string& name) const;
  Handle create_dataset(const std::string& name, Id type, std::uint64_t count, bool early);
  std::uint64_t count_of(const Handle& set, const std::string& name) const;
  std::uint64_t length(const std::string& name, Type type) const;
  void write_raw(const std::string& name, Type type, std::uint64_t count, const void* values);
  void read_raw(const std::string& name, Type type, void* values) const;

  std::unique_lock<std::recursive_mutex> turn_;
  Path path_;
  bool writing_;
  std::string unsealed_;  ///< name of the blob, "" none
  Handle file_;
};

/// fsync of a closed `temporary`, rename to `final`, fsync of the folder.
void publish(FileSystem& files, const Path& temporary, const Path& final);

}  // namespace facemae::hdf5
