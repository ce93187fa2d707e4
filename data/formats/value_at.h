#pragma once
// Reads numbers out of bytes as file formats of others hold them: little-endian, at any alignment.
#include <bit>
#include <cstddef>
#include <cstring>

#include "core/checksum.h"

namespace facemae {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are in memory");

/// The bytes from `offset` on; the caller has checked that there are enough.
template <class T>
T value_at(Bytes bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace facemae
