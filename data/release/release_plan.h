#pragma once
// Decides which images of a source are released, in which order and under which labels, by the secret alone.
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "data/release/blend.h"
#include "data/release/release_secret.h"
#include "data/store/store.h"

namespace facemae {

/// What a release takes from its source.
struct ReleaseChoice {
  /// This many of each identity, others are left out; 0 all. Of a blend: pictures of each class; 0 as many in all as
  /// there are photos.
  std::uint64_t images_per_identity = 0;
  std::vector<std::uint64_t> copies;  ///< rows that repeat the image of another one: never released
  std::optional<Blend> blend;         ///< none: each picture is made of one photo
  std::vector<BlendGroup> groups;     ///< of a blend: the classes
};

/// The rows of an identity that may be released; label -1: rows without one.
struct ReleaseCandidates {
  std::int64_t label;
  std::vector<std::uint64_t> rows;
};
/// Equal counts mean that an identity with fewer images is left out, and so is an image without an identity. Of a blend:
/// the identities with as many photos as it takes of each person.
std::vector<ReleaseCandidates> rows_to_take(const Store& source, const ReleaseChoice& choice);

/// Checks what is known before a release is begun: throws ConfigError when it would hold no image.
void check_release(const Store& source, const ReleaseChoice& choice);

/// Which source rows are released, in released order, and their new labels: pure in (store, secret, choice).
struct ReleasePlan {
  std::vector<std::uint64_t>
      source_rows;                   ///< the `photos` of each picture; those of one person are neighbours
  std::vector<std::int64_t> labels;  ///< of each picture
  std::int64_t identities = 0;
  std::uint64_t shard_images = 0;  ///< images per shard file
  std::uint64_t photos = 1;        ///< of each picture in source_rows
  bool whole_classes = false;      ///< each picture is made of the photos of all pictures of its class
  std::uint64_t pictures() const { return source_rows.size() / photos; }
  std::uint64_t shards() const { return (pictures() + shard_images - 1) / shard_images; }
};
/// The source rows of each class, ascending; -1 for pictures without one.
std::map<std::int64_t, std::vector<std::uint64_t>> rows_of_classes(const ReleasePlan& plan);

ReleasePlan plan_release(const Store& source, const ReleaseSecret& secret, const ReleaseChoice& choice,
                         std::uint64_t shard_images);

}  // namespace facemae
