#pragma once
// WebP pictures, lossy and lossless, with libwebp.
#include <span>

#include "data/image/image.h"

namespace facemae {

/// Throws DataError, for an animation as well.
ImageHeader webp_header(Bytes encoded);
/// Into pixel_bytes() of its header; transparency over black. Throws DataError (also where data are missing).
void decode_webp(Bytes encoded, std::span<std::uint8_t> out);

}  // namespace facemae
