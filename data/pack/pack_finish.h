#pragma once
// Ends a pack: refuses it for its rejects, or publishes its lists, its shards and the manifest.
#include <map>

#include "data/pack/journal.h"
#include "data/pack/pack.h"
#include "data/pack/pack_plan.h"

namespace facemae {

/// Every reject known to the journal and the spill, by entry.
std::map<std::uint64_t, std::string> known_rejects(const Journal& journal, const PackPlan& plan);

/// When there are more rejects than allowed: writes rejects.csv and throws DataError with counts, examples
/// and what to do. What was made is kept.
void require_few_rejects(const ImageSource& source, const PackConfig& config, const PackPlan& plan,
                         FileSystem& files, const Journal& journal);

/// Writes rejects.csv and duplicates.csv, gives shards their final names, writes the manifest and removes the
/// journal. All shards must be noted. Memory: 16 bytes per image (labels, and rows by identity).
PackResult finish_pack(const ImageSource& source, const PackConfig& config, const PackPlan& plan,
                       FileSystem& files, const Journal& journal, int ranks);

/// The figures of a store that an earlier start finished; removes what is left of its journal. Throws
/// ConfigError when it was made with other settings or not by pack.
PackResult figures_of_finished(const PackConfig& config, const PackPlan& plan, FileSystem& files);

}  // namespace facemae
