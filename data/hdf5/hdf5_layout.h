#pragma once
// Finds where things lie in an HDF5 file: reads the few kinds of structures that data/hdf5/hdf5.cpp lets
// libhdf5 write, and nothing else. Stores are handed around, and libhdf5 does not survive every file that
// somebody forged; this reader takes no count, size or address on trust, and reads a few kilobytes at most.
#include <cstdint>
#include <map>
#include <string>

#include "core/files/files.h"

namespace facemae::hdf5 {

/// Element types, little-endian in files.
enum class Type { U8, U32, I64, U64, Text };

/// A one-dimensional, contiguous array that lies within the file.
struct Extent {
  Type type = Type::U8;
  std::uint64_t width = 0;  ///< bytes of an element
  std::uint64_t count = 0, offset = 0;
  std::uint64_t bytes() const { return width * count; }
  bool operator==(const Extent&) const = default;
};

struct Attribute {
  Type type = Type::U64;     ///< U64 or Text
  std::uint64_t number = 0;  ///< of a U64
  std::string text;          ///< of a Text, without its padding
};

struct Layout {
  std::map<std::string, Attribute> attributes;  ///< of the root
  std::map<std::string, Extent> arrays;         ///< by path: "/blob", "/index/offset"
};

/// The layout of the first `end` bytes of a file. Throws DataError naming the file when it is damaged, or
/// holds anything that no program of this project writes, such as links to elsewhere, filters or other types.
Layout read_layout(const InputFile& file, std::uint64_t end);

}  // namespace facemae::hdf5
