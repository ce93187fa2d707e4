#pragma once
// Lets the images of a set be aligned by a list of landmarks, as `pack --landmarks` aligns them.
#include "data/image/landmarks.h"
#include "trainer/images/image_set.h"

namespace facemae {

/// `paths` are those of the images below their folder. Throws ConfigError when an image has no landmarks in the list, when
/// a line fits several images, or when the list numbers the images of a .rec.
void align_images(ImageSet& images, Landmarks landmarks, const std::vector<std::string>& paths);

}  // namespace facemae
