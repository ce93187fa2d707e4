#pragma once
// Finds which images of a store have the same bytes, by their hashes, when all shards are made.
#include <cstdint>
#include <vector>

#include "data/pack/journal.h"

namespace facemae {

struct Duplicate {
  std::uint64_t entry = 0, original = 0;  ///< catalogue entries; `original` is the first with these bytes
};

inline constexpr std::uint64_t kHashesAtOnce = 16ULL << 20;

/// Processes this rank's share of the hashes; writes its findings to OUT/packing. Memory: 16 bytes for each
/// of at most `at_once` images; a larger share is processed in turns.
void find_duplicates(FileSystem& files, const Journal& journal, std::uint64_t images, int rank, int ranks,
                     std::uint64_t at_once = kHashesAtOnce);
/// What all ranks have found, by entry.
std::vector<Duplicate> found_duplicates(const Journal& journal, int ranks);

}  // namespace facemae
