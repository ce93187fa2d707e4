#pragma once
// Copies the images of several stores side by side into one: how arms of a study are mixed.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "data/store/store.h"

namespace facemae {

struct JoinConfig {
  bool same_people = false;  ///< equal names are one identity
  std::vector<std::string>
      prefixes;  ///< one per store or none: identities are named PREFIX/NAME, or PREFIX/LABEL
  bool show_progress = false;
};

/// The labels of a store that is made of several. Pure.
struct JoinPlan {
  std::vector<std::string> names;                   ///< one per identity, or none when no store has any
  std::vector<std::vector<std::int64_t>> label_of;  ///< [store][label there]
  std::int64_t identities = 0;
  std::int64_t shared = 0;  ///< identities that more than one store has
};
/// The identities of the first store, then those of the second ... Throws ConfigError when a name is in two stores and
/// same_people was not asked for, and when only some of the stores have names and there are no prefixes.
JoinPlan plan_join(std::span<const std::shared_ptr<const Store>> stores, const JoinConfig& config);

/// Makes a store with its own shards in `out`: all images of all stores, byte for byte, in their order. No shard has
/// more images than the largest of the stores; shards that an earlier start finished are kept. It is released
/// when all of them are; names of sources are not kept. Throws ConfigError as plan_join() does, for images of different
/// sizes, for a store that is given twice, and when another store is in `out`; DataError or FileError for an image that
/// cannot be read.
JoinPlan join_stores(FileSystem& files, const std::vector<Path>& stores, const Path& out,
                     const JoinConfig& config);

}  // namespace facemae
