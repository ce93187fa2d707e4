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
  const std::size_t end = std::min<std::size_t>(plan.source_rows.size(), (shard + 1) * plan.shard_images);
  for (std::size_t i = shard * plan.shard_images; i < end; ++i) {
    encoded.push_back(tiny_picture(1'000'000 + plan.source_rows[i]));
  }
  return encoded;
}

/// What `reconstruct` takes of a source.
inline ReleaseChoice choice_of(const Store& source, std::uint64_t per_identity = 0) {
  return {per_identity, copies_among(originals_of(source, 0, source.size()))};
}

inline ReleaseSecret begin(const Path& folder, const Path& out, const Store& source,
                           const std::string& reason = "", std::uint64_t per_identity = 0) {
  PrivateFolder hidden(folder);
  return open_release(hidden, out, source, choice_of(source, per_identity),
                      originals_of(source, 0, source.size()), reason);
}

inline std::vector<LedgerEntry> ledger(const Path& folder) { return read_ledger(PrivateFolder(folder)); }

inline ReleasePlan release(const Store& source, const Path& out, const Path& folder,
                           const std::string& reason = "", std::uint64_t per_identity = 0) {
  const ReleaseSecret secret = begin(folder, out, source, reason, per_identity);
  ReleasePlan plan = plan_release(source, secret, choice_of(source, per_identity), 8);
  for (std::uint64_t shard = 0; shard < plan.shards(); ++shard) {
    if (release_shard_done(out, secret, plan, shard)) continue;
    write_release_shard(real_files(), out, secret, plan, shard, rebuilt(plan, shard), 16);
  }
  PrivateFolder hidden(folder);
  finish_release(real_files(), out, hidden, secret, plan, kNotes, source);
  return plan;
}

}  // namespace facemae::released
