#include "data/source/source.h"

#include "core/error.h"

namespace facemae {

void ImageSource::stream(std::size_t, const std::function<void(Streamed)>&) const {
  throw Error("this source has no archives to stream");
}

}  // namespace facemae
