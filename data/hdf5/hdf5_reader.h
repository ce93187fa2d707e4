#pragma once
// Reads the sealed HDF5 files of this program, without libhdf5, and checks each type, shape and size before a
// byte of a value is read. Safe from many threads.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/files/array.h"
#include "core/files/files.h"
#include "data/hdf5/hdf5_layout.h"
#include "data/hdf5/seal.h"

namespace facemae::hdf5 {

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

/// How much of an array may be read into memory.
struct Most {
  std::uint64_t count = 1ULL << 32;  ///< elements
  std::uint64_t width = 8;           ///< bytes of one, of texts
};

/// Anything that is missing, or that has another type, shape or size than requested, is a DataError naming
/// the file; a read that the storage refuses is a FileError.
class Reader {
 public:
  /// Checks the seal and the layout. Throws DataError, FileError.
  static Reader open(const Path& path, SealCheck check = SealCheck::Hashed);

  const Path& path() const noexcept { return path_; }
  bool has(const std::string& array) const { return layout_.arrays.contains(array); }
  bool has_attribute(const std::string& name) const { return layout_.attributes.contains(name); }
  std::uint64_t read_number(const std::string& attribute) const;
  std::string read_text(const std::string& attribute) const;

  template <class T>
  std::vector<T> read_array(const std::string& name, Most most = {}) const {
    const Extent at = extent(name, type_of<T>(), most);
    std::vector<T> values(at.count);
    InputFile(path_).read_at(at.offset, std::as_writable_bytes(std::span(values)));
    return values;
  }
  std::vector<std::string> read_texts(const std::string& name, Most most) const;
  /// Where an array lies in the file; 0, 0 when it is empty.
  FileRange place(const std::string& name, Type type = Type::U8) const;
  /// The array in its place in the file, at any alignment: shared by all processes of the host. All arrays of
  /// a file share one mapping, of which a process may have only so many.
  template <class T>
  Array<T> map_array(const std::string& name) const {
    const FileRange at = place(name, type_of<T>());
    return Array<T>::at(mapped(at), at.bytes / sizeof(T));
  }

 private:
  struct Mapping;
  Reader(Path path, Layout layout, FileRange blob);
  std::shared_ptr<const std::byte> mapped(const FileRange& array) const;
  const Attribute& attribute(const std::string& name, Type type) const;
  const Extent& extent(const std::string& name, Type type, Most most) const;

  Path path_;
  Layout layout_;
  std::shared_ptr<Mapping> mapping_;  ///< of all arrays but the blob, made when the first one is mapped
};

}  // namespace facemae::hdf5
