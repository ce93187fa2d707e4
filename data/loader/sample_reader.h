#pragma once
// Does one loader thread's work on one sample: finds the row, reads, checks, decodes and augments it, or
// another row's image when that one cannot be used.
#include <cstdint>
#include <span>
#include <vector>

#include "data/image/augment.h"
#include "data/image/planes.h"
#include "data/loader/bad_images.h"
#include "data/loader/block_cache.h"
#include "data/loader/loader_figures.h"
#include "data/order/quarantine.h"
#include "data/store/store.h"

namespace facemae {

/// How encoded images become bytes of a batch.
struct SampleConfig {
  PixelFormat format = PixelFormat::Rgb;
  AugmentConfig augment;  ///< of RGB only
  std::uint64_t seed = 0;
};

/// What a sample turned out to be.
struct Sample {
  std::uint64_t row = 0;
  std::int64_t label = 0;
};

/// One per thread.
class SampleReader {
 public:
  /// `blocks` may be null. All references must outlive this.
  SampleReader(const Store& store, BlockCache* blocks, BadImages& bad, const SampleConfig& config)
      : store_(store), blocks_(blocks), bad_(bad), config_(config) {}

  /// Fills `out`, image_bytes() long, with the image of the ordinal: that of its own row, or of the first of
  /// the rows that replace it and can be used. The choice depends only on what can be read and on the
  /// quarantine, so any rank and any later start that meets the same storage makes the same one. Throws
  /// DataError when too many images are bad.
  Sample read(std::uint64_t ordinal, const Quarantine& rows, std::span<std::uint8_t> out);
  LoaderFigures take_figures();  ///< since the last call

 private:
  void decode(std::uint64_t row, bool own, std::span<std::uint8_t> out);

  const Store& store_;
  BlockCache* blocks_;
  BadImages& bad_;
  const SampleConfig config_;
  PlanesDecoder decoder_;
  Augmenter augmenter_;
  std::vector<std::byte> encoded_;
  LoaderFigures figures_;
};

}  // namespace facemae
