#pragma once
// Which side of a stored picture is up: EXIF's orientation, with libexif.
#include "data/image/image.h"

namespace facemae {

/// 1 to 8 of the EXIF block in a JPEG (the first APP1 that is one), PNG (eXIf) or WebP (EXIF): 1 is upright,
/// 2 mirrored, 3 upside down, 4 both; 5 to 8 lie on a side. 1 where there is none or it is damaged.
int orientation_of(Bytes encoded);

/// The upright picture of one stored like that; width and height change places from 5 on.
Image turned(Image image, int orientation);

}  // namespace facemae
