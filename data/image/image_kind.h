#pragma once
// Tells pictures apart by their first bytes, and names what else people take for pictures. Pure.
#include "data/image/image.h"

namespace facemae {

/// Throws DataError for bytes that are none of them, with what they are instead and what helps.
Codec codec_of(Bytes encoded);

/// Headers may lie: a picture of no pixels or of more than 2^26 is refused (DataError) before memory is
/// allocated for it.
void check_size(std::int64_t width, std::int64_t height);
/// Has an image as many bytes as its size says? Throws Error.
void check_pixels(const Image& image);

}  // namespace facemae
