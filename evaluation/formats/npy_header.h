#pragma once
// The header of a .npy file: written as version 1.0, and read, as 1.0 or 2.0, from a file that may come from anywhere.
// Free of LibTorch, so that a fuzzer can see through it.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/files.h"

namespace facemae {

enum class NpyType { Float16, Float32, Float64, Int64 };  ///< little-endian
std::size_t bytes_of_value(NpyType type);

struct NpyHeader {
  NpyType type = NpyType::Float32;
  std::vector<std::int64_t> shape;
  std::size_t data_start = 0;  ///< the array is all that follows
};
/// Checks that the array fills `bytes` to the last. Throws DataError naming `path`.
NpyHeader parse_npy_header(std::string_view bytes, const Path& path);

/// What precedes the values, in C order, of an array of float32 or int64.
std::string npy_header(bool integers, std::span<const std::int64_t> shape);

inline constexpr std::string_view kNpyMagic("\x93NUMPY\x01\x00", 8);
inline constexpr std::size_t kNpyPrefix =
    10;  ///< magic, version, 16-bit header length; 12 in 2.0, where it has 32 bits

}  // namespace facemae
