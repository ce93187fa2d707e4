#pragma once
// What one does with finished stores: verify, split by identity, make verification pairs.
#include <cstdint>
#include <string>
#include <vector>

#include "core/files.h"
#include "data/store.h"

namespace facemae {

struct BadImage {
  std::string shard;
  std::uint64_t row = 0, index = 0;
  std::string reason;
};
/// Re-reads every image of shards i with i % parts == part and checks CRCs and blob digests; names each bad
/// image.
std::vector<BadImage> verify_store(const Store& store, int part = 0, int parts = 1,
                                   bool show_progress = false);

/// Identity-disjoint views A and B by reference to the shards of `parent`: `fraction` of the identities
/// (rounded) to A, by a keyed permutation. Labels are renumbered 0.. in order of the parent's. Throws
/// ConfigError when a side is empty.
void split_store(FileSystem& files, const Store& parent, double fraction, std::uint64_t seed, const Path& a,
                 const Path& b);

/// Verification pairs: same and different alternate; folds are identity-disjoint and in order.
struct Pair {
  std::uint64_t a = 0, b = 0;  ///< rows
  bool same = false;
};
struct PairList {
  int folds = 10;
  std::vector<Pair> pairs;   ///< folds * (pairs / folds), fold by fold
  std::string store_digest;  ///< of the store that they were made from; "" when the file does not say
};
/// Half same, half different in every fold. Throws ConfigError when the store has too few identities or
/// images.
PairList make_pairs(const Store& store, int folds, std::uint64_t pairs, std::uint64_t seed);
/// Text: a header line "# facemae pairs: folds F, store DIGEST", then "a b same" with rows of the store (same
/// 1 or 0).
void write_pairs(FileSystem& files, const Path& path, const PairList& pairs, const Store& store);
/// Rows of a store, or, when `names` is given, positions in it: lines are then "path path 0|1", and `names`
/// gets the distinct paths, relative to a folder.
PairList read_pairs(const Path& path, std::vector<std::string>* names = nullptr);

}  // namespace facemae
