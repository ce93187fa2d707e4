#pragma once
// Writes a released store from an allow-list: metadata link better than faces (docs/METHOD.md).
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/random/secret.h"
#include "data/image/image.h"
#include "data/release/private_folder.h"
#include "data/release/release_plan.h"
#include "data/release/release_secret.h"
#include "data/store/store.h"

namespace facemae {

/// What the readable manifest of a release says: this and nothing more.
struct ReleaseNotes {
  std::string model_hash, software_version, source_licence;
  double mask_ratio = 0;
  std::uint64_t images_per_identity = 0;  ///< 0: as in the source
};

/// Begins a release of `source` in `out`, or continues the one that was begun there: interrupted or finished,
/// it has its own secret, and the same masks give the same faces, so nothing more is revealed. Otherwise, if
/// any of the images that may be taken is in a release of the ledger, the release is refused unless there is
/// a `second_release_reason` (ReleaseRefused, 66). `originals` are those of all rows of `source`. Throws
/// ConfigError when the private folder and `out` lie one inside the other, or `out` holds other files.
ReleaseSecret open_release(PrivateFolder& folder, const Path& out, const Store& source,
                           const ReleaseChoice& choice, const std::vector<Hash256>& originals,
                           const std::string& second_release_reason);
/// Throws ConfigError when one would lie in the other. Paths as given by a user.
void check_separate(const Path& private_folder, const Path& out);

/// Writes one finished shard of rebuilt images (tmp, verify, fsync, rename); to be
/// skipped when release_shard_done().
void write_release_shard(FileSystem& files, const Path& out, const ReleaseSecret& secret,
                         const ReleasePlan& plan, std::uint64_t shard,
                         const std::vector<std::vector<std::byte>>& encoded, int image_size);
bool release_shard_done(const Path& out, const ReleaseSecret& secret, const ReleasePlan& plan,
                        std::uint64_t shard);
/// Writes the manifest (last), RELEASE.md with the notes, and link.h5 (released index -> source row) in
/// the private folder.
void finish_release(FileSystem& files, const Path& out, PrivateFolder& folder, const ReleaseSecret& secret,
                    const ReleasePlan& plan, const ReleaseNotes& notes, const Store& source);

/// Reads link.h5: the source row of each released row; with a digest, the link of that release among those of
/// several (link-<uuid>.h5), or link.h5 when none matches. Throws DataError.
struct ReleaseLink {
  std::string source_digest, released_digest;
  std::vector<std::uint64_t> source_rows;
  /// The source rows that picture `released_row` was made of: one, or those of all contributors to a blend.
  std::span<const std::uint64_t> sources_of(std::uint64_t released_row) const {
    return std::span(source_rows).subspan(released_row, 1);
  }
  std::uint64_t pictures() const { return source_rows.size(); }
};
ReleaseLink read_link(const Path& private_folder, const std::string& released_digest = "");

}  // namespace facemae
