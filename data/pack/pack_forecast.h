#pragma once
// Tells what a pack would make, without writing anything.
#include <cstdint>

#include "data/pack/pack.h"

namespace facemae {

struct PackForecast {
  std::uint64_t images = 0, identities = 0, shards = 0;  ///< as if no image were rejected
  int image_size = 0;
  std::uint64_t mean_bytes = 0;                    ///< of an image, by the sample
  std::uint64_t looked_at = 0, rejects = 0;        ///< of the sample
  std::uint64_t needed_bytes = 0, free_bytes = 0;  ///< on the disk of OUT: at most at a time, from nothing
};

/// Lists nothing and reads as many images as plan_pack, whose exceptions it throws.
PackForecast forecast_pack(const ImageSource& source, const PackConfig& config);

}  // namespace facemae
