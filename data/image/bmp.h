#pragma once
// Windows bitmaps (BMP) of 1 to 32 bits, also run-length coded. Pure.
#include <span>

#include "data/image/image.h"

namespace facemae {

/// Throws DataError, also for a file that is shorter than its header says.
ImageHeader bmp_header(Bytes encoded);
/// Into pixel_bytes() of its header; alpha is left out. Throws DataError.
void decode_bmp(Bytes encoded, std::span<std::uint8_t> out);

}  // namespace facemae
