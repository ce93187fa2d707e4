#pragma once
// Decides what a pack will make before anything is written: a pure function of the source and the settings,
// so that all ranks and every restart agree.
#include <cstdint>
#include <string>
#include <vector>

#include "core/random/permutation.h"
#include "data/pack/pack.h"

namespace facemae {

struct PackPlan {
  std::string uuid;      ///< hash of catalogue, a sample of the images and the seed
  std::string settings;  ///< JSON object: everything that determines the bytes of the store
  std::string asked;     ///< the same as planned now: differs if images were mended since the pack began
  std::string samples;   ///< JSON object: digest of each image that was sampled by entry, null for a reject
  int image_size = 0;
  std::uint64_t entries = 0, images_per_shard = 1, mean_bytes = 1;
  std::uint64_t order_key = 0;
  std::uint64_t allowed_rejects = 0;

  /// Bytes on disk that this many shards take, with what the journal and the manifest hold of their images.
  std::uint64_t room_for(std::uint64_t shards) const;
  /// Bytes on disk that a spill of all images takes.
  std::uint64_t room_for_spill() const;
  std::uint64_t shards() const { return (entries + images_per_shard - 1) / images_per_shard; }
  /// Position p of the store, before rejects are left out, holds catalogue entry order()(p).
  Permutation order() const { return {entries, order_key}; }
  /// Catalogue entries of a shard in stored order: a fixed range of the keyed permutation of the catalogue.
  std::vector<std::uint64_t> entries_of(std::uint64_t shard) const;
};

/// Samples a few images, spread over the source, to find the image size (0: the most common one) and how many
/// make a shard. Throws ConfigError (settings out of range, an empty source) and DataError (none of them can
/// be decoded, or most have another size and `resize` was not requested).
PackPlan plan_pack(const ImageSource& source, const PackConfig& config);

/// The plan with which to continue a pack that was begun with `settings` after sampling `samples`: `plan`,
/// with that pack's shards and uuid if the only difference is that sampled images which were rejects then
/// have been mended, or that good ones have become rejects. Otherwise `plan` as it is, which
/// require_same_settings refuses.
PackPlan going_on(PackPlan plan, const std::string& settings, const std::string& samples);

/// Throws ConfigError listing each setting that differs.
void require_same_settings(const std::string& stored, const std::string& asked, const Path& out);
/// Throws ConfigError when `needed` bytes do not fit into `available`.
void require_space(std::uint64_t available, std::uint64_t needed, const Path& out);

}  // namespace facemae
