#pragma once
// What a pack will make, decided before anything is written: a pure function of the source and the settings,
// so that all ranks and every restart agree.
#include <cstdint>
#include <string>
#include <vector>

#include "core/random/permutation.h"
#include "data/pack/pack.h"

namespace facemae {

struct PackPlan {
  std::string uuid;      ///< hash of catalogue, a sample of the images and the seed
  std::string settings;  ///< JSON object: everything that decides the bytes of the store
  std::string asked;     ///< the same as planned now: another where images were mended since the pack began
  std::string samples;   ///< JSON object: digest of each image looked at by entry, null of a reject
  int image_size = 0;
  std::uint64_t entries = 0, images_per_shard = 1, mean_bytes = 1;
  std::uint64_t order_key = 0;
  std::uint64_t allowed_rejects = 0;

  std::uint64_t shards() const { return (entries + images_per_shard - 1) / images_per_shard; }
  /// Position p of the store, before rejects are left out, holds catalogue entry order()(p).
  Permutation order() const { return {entries, order_key}; }
  /// Catalogue entries of a shard in stored order: a fixed range of the keyed permutation of the catalogue.
  std::vector<std::uint64_t> entries_of(std::uint64_t shard) const;
};

/// Looks at a few images, spread over the source, to find the image size (0: the most common one) and how
/// many make a shard. Throws ConfigError (settings out of range, an empty source) and DataError (none of them
/// can be decoded, or most are of another size and `resize` was not asked for).
PackPlan plan_pack(const ImageSource& source, const PackConfig& config);

/// The plan to go on with where a pack was begun with `settings` after looking at `samples`: `plan`, and when
/// all that differs is that sampled images which were rejects then have been mended, that pack's shards and
/// uuid. Else `plan` as it is, which require_same_settings refuses.
PackPlan going_on(PackPlan plan, const std::string& settings, const std::string& samples);

/// Throws ConfigError that lists each setting that differs.
void require_same_settings(const std::string& stored, const std::string& asked, const Path& out);
/// Throws ConfigError when `needed` bytes do not fit into `available`.
void require_space(std::uint64_t available, std::uint64_t needed, const Path& out);

}  // namespace facemae
