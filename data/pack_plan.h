#pragma once
// What a pack will make, decided before anything is written: a pure function of the source and the settings,
// so that a restart agrees with the start.
#include <cstdint>
#include <string>
#include <vector>

#include "data/image.h"
#include "data/pack.h"

namespace facemae {

struct PackPlan {
  std::string uuid;      ///< hash of catalogue and seed
  std::string settings;  ///< JSON object: everything that decides the bytes of the store
  int image_size = 0;
  std::uint64_t entries = 0, images_per_shard = 0, mean_bytes = 0;
  std::uint64_t order_key = 0;

  std::uint64_t shards() const { return (entries + images_per_shard - 1) / images_per_shard; }
  /// Catalogue entries of a shard in stored order: a fixed range of the keyed permutation of the catalogue.
  std::vector<std::size_t> entries_of(std::uint64_t shard) const;
};

/// One image of a source, checked by decoding it.
struct PreparedImage {
  std::vector<std::byte> bytes;  ///< as in the source unless re-encoded
  std::uint8_t flags = 0;        ///< jpeg_markers.h
  std::string reject;            ///< why it cannot be used, "" when it can
};

/// Reads and decodes images of a source; one per thread.
class ImageChecker {
 public:
  ImageChecker(const ImageSource& source, int image_size, bool resize)
      : source_(source), image_size_(image_size), resize_(resize) {}
  PreparedImage check(std::size_t entry);

 private:
  void fit(PreparedImage& image, int width, int height, Codec codec);
  const ImageSource& source_;
  int image_size_;
  bool resize_;
  Decoder decoder_;
  std::vector<std::uint8_t> pixels_;
};

/// Reads a few images to find the image size and how many make a shard. Throws ConfigError (settings out of
/// range, an empty source) and DataError (no image can be decoded).
PackPlan plan_pack(const ImageSource& source, const PackConfig& config);

/// Throws ConfigError that lists each setting that differs.
void require_same_settings(const std::string& stored, const std::string& asked, const Path& out);
/// Throws ConfigError when `needed` bytes do not fit into `available`.
void require_space(std::uint64_t available, std::uint64_t needed, const Path& out);

}  // namespace facemae
