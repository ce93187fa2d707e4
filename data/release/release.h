#pragma once
// Writes a released store from an allow-list: metadata link better than faces (docs/METHOD.md).
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/random/secret.h"
#include "data/image/image.h"
#include "data/release/partition.h"
#include "data/release/private_folder.h"
#include "data/release/release_link.h"
#include "data/release/release_plan.h"
#include "data/release/release_secret.h"
#include "data/release/release_text.h"
#include "data/store/store.h"

namespace facemae {

/// Begins a release of `source` in `out`, or continues the one that was begun there: interrupted or finished,
/// it has its own secret, and the same masks give the same faces, so nothing more is revealed. Otherwise, if
/// any of the images that may be taken is in a release of the ledger, the release is refused unless there is
/// a `second_release_reason` (ReleaseRefused, 66). A reason is no help where people would be in classes of
/// another size than before. Of a blend of several people, the partition is made, or gets the people that it does not
/// know yet. `originals` are those of all rows of `source`. Throws ConfigError when the private folder and `out` lie
/// one inside the other, or `out` holds other files.
ReleaseSecret open_release(PrivateFolder& folder, const Path& out, const Store& source,
                           const ReleaseChoice& choice, const std::vector<Hash256>& originals,
                           const std::string& second_release_reason);
/// The classes of a blend that open_release() began: of the partition as it was then. `choice` has no groups yet.
BlendGroups groups_of_release(const PrivateFolder& folder, const ReleaseSecret& secret, const Store& source,
                              const ReleaseChoice& choice, const std::vector<Hash256>& originals);
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

}  // namespace facemae
