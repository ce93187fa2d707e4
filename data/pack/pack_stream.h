#pragma once
// Makes the first pass over archives: reads them from front to back, checks every image on several threads
// and hands it on.
#include <cstdint>
#include <functional>
#include <vector>

#include "data/pack/pack_check.h"

namespace facemae {

/// Streams one archive. The calling thread reads; it and threads - 1 others check. `take` receives every
/// image, in any order, from one thread at a time; it may throw. `go_on` is asked on the calling thread after
/// each image: false ends it early. Returns whether the archive was read to its end. At most four images per
/// thread wait in memory.
bool stream_archive(const ImageSource& source, std::size_t archive, int image_size, bool resize, int threads,
                    const std::function<void(std::uint64_t entry, PreparedImage)>& take,
                    const std::function<bool()>& go_on);

}  // namespace facemae
