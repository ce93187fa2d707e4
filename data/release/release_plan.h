#pragma once
// Decides which images of a source are released, in which order and under which labels, by the secret alone.
#include <cstdint>
#include <vector>

#include "data/release/release_secret.h"
#include "data/store/store.h"

namespace facemae {

/// What a release takes from its source.
struct ReleaseChoice {
  std::uint64_t images_per_identity = 0;  ///< this many of each identity, others are left out; 0 all
  std::vector<std::uint64_t> copies;      ///< rows that repeat the image of another one: never released
};

/// The rows of an identity that may be released; label -1: rows without one.
struct ReleaseCandidates {
  std::int64_t label;
  std::vector<std::uint64_t> rows;
};
/// Equal counts mean that an identity with fewer images is left out, and so is an image without an identity.
std::vector<ReleaseCandidates> rows_to_take(const Store& source, const ReleaseChoice& choice);

/// Checks what is known before a release is begun: throws ConfigError when it would hold no image.
void check_release(const Store& source, const ReleaseChoice& choice);

/// Which source rows are released, in released order, and their new labels: pure in (store, secret, choice).
struct ReleasePlan {
  std::vector<std::uint64_t> source_rows;
  std::vector<std::int64_t> labels;
  std::int64_t identities = 0;
  std::uint64_t shard_images = 0;  ///< images per shard file
  std::uint64_t shards() const { return (source_rows.size() + shard_images - 1) / shard_images; }
};
ReleasePlan plan_release(const Store& source, const ReleaseSecret& secret, const ReleaseChoice& choice,
                         std::uint64_t shard_images);

}  // namespace facemae
