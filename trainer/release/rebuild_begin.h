#pragma once
// How a release begins, or goes on: its places, its originals, its settings and its secret.
#include <functional>
#include <memory>
#include <vector>

#include "cluster/host/control.h"
#include "core/checksum.h"
#include "data/release/release.h"
#include "trainer/release/rebuild_release.h"
#include "trainer/release/rebuild_source.h"

namespace facemae {

/// Rank 0. Judges --out and --private, calls `claim`, and opens the private folder. Throws ConfigError,
/// Unresumable.
std::unique_ptr<PrivateFolder> open_places(const ReconstructConfig& config,
                                           const std::function<void()>& claim);

/// The originals of every row, on rank 0; each rank reads a share of the store. All ranks.
std::vector<Hash256> gather_originals(Control& control, const Store& store);

/// A release is made with one set of settings, which PRIVATE/settings-<uuid>.json holds: going on with others
/// would mix them without a trace. Throws ConfigError.
void check_settings(PrivateFolder& folder, const ReconstructConfig& config, const RebuildSource& source,
                    const std::string& uuid);

/// All ranks; `folder` is rank 0's. Once nothing stands against the release any more, it begins: returns its
/// secret; choice.copies become the rows that are equal to others, choice.groups the classes of a blend.
ReleaseSecret begin_rebuilding(Control& control, PrivateFolder* folder, const ReconstructConfig& config,
                               const RebuildSource& source, ReleaseChoice& choice);

}  // namespace facemae
