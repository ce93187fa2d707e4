#pragma once
// Changes the size of pictures, and fits them to the square that networks see. Pure.
#include "data/image/image.h"

namespace facemae {

/// Resizes by area averaging or bilinearly, whichever suits the direction.
Image resize(const Image& image, int width, int height);

/// How every picture of another size becomes side x side pixels: the square in its middle, resized.
/// Stretching would change the shape of faces.
Image fit_square(const Image& image, int side);

}  // namespace facemae
