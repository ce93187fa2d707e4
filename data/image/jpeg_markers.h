#pragma once
// Makes the flags byte of a stored image, which says how it is encoded, from JPEG markers without decoding.
#include <cstdint>

#include "core/checksum.h"

namespace facemae {

/// Bits of /index/flags. The lowest three hold a Subsampling.
inline constexpr std::uint8_t kFlagSubsampling = 0x07;
inline constexpr std::uint8_t kFlagProgressive = 0x08;
inline constexpr std::uint8_t kFlagReencoded = 0x10;  ///< resized at packing: not the bytes of the source
enum class Subsampling : std::uint8_t {
  S444 = 0,
  S422 = 1,
  S420 = 2,
  Grey = 3,
  S440 = 4,
  S411 = 5,
  Other = 6,
  None = 7
};

/// Subsampling and kFlagProgressive of a JPEG; Subsampling::None for anything else.
std::uint8_t encoding_flags(Bytes encoded);

}  // namespace facemae
