#pragma once
// Makes releases of small stores, as `reconstruct` does, with pictures that stand for rebuilt faces.
#include <algorithm>
#include <string>
#include <vector>

#include "data/release/release.h"
#include "data/release/release_ledger.h"
#include "data/release/release_originals.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae::released {

using testing_stores::make_store;
using testing_stores::TemporaryFolder;
using testing_stores::tiny_picture;

inline const ReleaseNotes kNotes{.model_hash = "c0ffee",
                                 .software_version = "0.1.0",
                                 .source_licence = "for research only",
                                 .mask_ratio = 0.75};

/// Pictures that stand for the rebuilt ones of a shard: other pixels than the source's.
inline std::vector<std::vector<std::byte>> rebuilt(const ReleasePlan& plan, std::uint64_t shard) {
  std::vector<std::vector<std::byte>> encoded;
  const std::size_t end = std::min<std::size_t>(plan.pictures(), (shard + 1) * plan.shard_images);
  for (std::size_t i = shard * plan.shard_images; i < end; ++i) {
    encoded.push_back(tiny_picture(1'000'000 + plan.source_rows[i * plan.photos]));
  }
  return encoded;
}

/// What `reconstruct` takes of a source.
inline ReleaseChoice choice_of(const Store& source, std::uint64_t per_identity = 0,
                               const std::optional<Blend>& blend = {}) {
  return {.images_per_identity = per_identity,
          .copies = copies_among(originals_of(source, 0, source.size())),
          .blend = blend,
          .groups = {}};
}

inline ReleaseSecret begin(const Path& folder, const Path& out, const Store& source,
                           const std::string& reason = "", std::uint64_t per_identity = 0,
                           const std::optional<Blend>& blend = {}) {
  PrivateFolder hidden(folder);
  return open_release(hidden, out, source, choice_of(source, per_identity, blend),
                      originals_of(source, 0, source.size()), reason);
}

inline std::vector<LedgerEntry> ledger(const Path& folder) { return read_ledger(PrivateFolder(folder)); }

/// The plan of a release that was begun.
inline ReleasePlan plan_of(const Path& folder, const Store& source, const ReleaseSecret& secret,
                           std::uint64_t per_identity = 0, const std::optional<Blend>& blend = {}) {
  ReleaseChoice choice = choice_of(source, per_identity, blend);
  if (blend)
    choice.groups = groups_of_release(PrivateFolder(folder), secret, source, choice,
                                      originals_of(source, 0, source.size()))
                        .groups;
  return plan_release(source, secret, choice, 8);
}

inline ReleasePlan release(const Store& source, const Path& out, const Path& folder,
                           const std::string& reason = "", std::uint64_t per_identity = 0,
                           const std::optional<Blend>& blend = {}) {
  const ReleaseSecret secret = begin(folder, out, source, reason, per_identity, blend);
  ReleasePlan plan = plan_of(folder, source, secret, per_identity, blend);
  for (std::uint64_t shard = 0; shard < plan.shards(); ++shard) {
    if (release_shard_done(out, secret, plan, shard)) continue;
    write_release_shard(real_files(), out, secret, plan, shard, rebuilt(plan, shard), 16);
  }
  ReleaseNotes notes = kNotes;
  notes.blend = blend;
  PrivateFolder hidden(folder);
  finish_release(real_files(), out, hidden, secret, plan, notes, source);
  return plan;
}

}  // namespace facemae::released
