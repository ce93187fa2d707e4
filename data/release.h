#pragma once
// A released store is written from an allow-list, because metadata link better than faces (docs/METHOD.md).
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/files.h"
#include "data/image.h"
#include "data/store.h"

namespace facemae {

/// What the readable manifest of a release says, and nothing more.
struct ReleaseNotes {
  std::string model_hash, software_version, source_licence;
  double mask_ratio = 0;
};

/// The secret side of a release, in --private DIR (mode 0700).
struct ReleaseSecret {
  std::uint64_t mask_seed = 0, label_seed = 0, order_seed = 0;  ///< from the system's random source
  std::string uuid;                                             ///< of the released store, random
  std::string source_digest, out;
};

/// What can be told before a release is begun: throws ConfigError when it would hold no image.
void check_release(const Store& source, std::uint64_t images_per_identity);

/// Opens or makes the private folder: refuses one inside `out` or the other way round (ConfigError); a ledger
/// refuses a second release of the same dataset digest unless `second_release_reason` (ReleaseRefused, 66).
/// A release of the same data to the same `out`, interrupted or finished, goes on with its own secret: the
/// same masks give the same faces, so nothing more is revealed.
ReleaseSecret open_private(FileSystem& files, const Path& folder, const Path& out, const Store& source,
                           const std::string& second_release_reason);

/// Which source rows are released, in released order, and their new labels: pure in (store, secret, per
/// identity).
struct ReleasePlan {
  std::vector<std::uint64_t> source_rows;
  std::vector<std::int64_t> labels;
  std::int64_t identities = 0;
  std::uint64_t shard_images = 0;  ///< images per shard file
  std::uint64_t shards() const { return (source_rows.size() + shard_images - 1) / shard_images; }
};
ReleasePlan plan_release(const Store& source, const ReleaseSecret& secret, std::uint64_t images_per_identity,
                         std::uint64_t shard_images);

/// Writes one finished shard of rebuilt images (tmp, verify, fsync, rename); skip it when
/// release_shard_done().
void write_release_shard(FileSystem& files, const Path& out, const ReleaseSecret& secret,
                         const ReleasePlan& plan, std::uint64_t shard,
                         const std::vector<std::vector<std::byte>>& encoded, int image_size);
bool release_shard_done(const Path& out, const ReleaseSecret& secret, const ReleasePlan& plan,
                        std::uint64_t shard);
/// The manifest (last), RELEASE.md with the notes, and link.h5 (released index -> source row) in the private
/// folder.
void finish_release(FileSystem& files, const Path& out, const Path& private_folder,
                    const ReleaseSecret& secret, const ReleasePlan& plan, const ReleaseNotes& notes,
                    const Store& source);

/// link.h5: source row of each released row; with a digest, that of this release among the links of several
/// (link-<uuid>.h5), or link.h5 when none matches. Throws DataError.
struct ReleaseLink {
  std::string source_digest, released_digest;
  std::vector<std::uint64_t> source_rows;
};
ReleaseLink read_link(const Path& private_folder, const std::string& released_digest = "");

}  // namespace facemae
