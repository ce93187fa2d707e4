#pragma once
// The header of a .npy file of version 1.0: written, and read from a file that may come from anywhere. Free of
// LibTorch, so that a fuzzer can see through it.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/files.h"

namespace facemae {

struct NpyHeader {
  bool integers = false;  ///< int64 rather than float32
  std::vector<std::int64_t> shape;
  std::size_t data_start = 0;  ///< the array is all that follows
};
/// Checks that the array fills `bytes` to the last. Throws DataError naming `path`.
NpyHeader parse_npy_header(std::string_view bytes, const Path& path);

/// What precedes the values, in C order, of an array of float32 or int64.
std::string npy_header(bool integers, std::span<const std::int64_t> shape);

inline constexpr std::string_view kNpyMagic("\x93NUMPY\x01\x00", 8);
inline constexpr std::size_t kNpyPrefix = 10;  ///< magic, version, 16-bit header length

}  // namespace facemae
