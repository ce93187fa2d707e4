#pragma once
// Works on finished stores: selects identities, splits by identity, makes verification pairs.
#include <cstdint>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "data/store/store.h"

namespace facemae {

/// Makes identity-disjoint views A and B by reference to the shards of `parent`: `fraction` of the identities
/// (rounded) goes to A, by a keyed permutation. Labels are renumbered 0.. in the parent's order. Throws
/// ConfigError when a side is empty.
void split_store(FileSystem& files, const Store& parent, double fraction, std::uint64_t seed, const Path& a,
                 const Path& b);

/// The lines of a list that a user wrote, without blank ones: with LF or CRLF, with or without the mark of UTF-8.
/// Throws FileError.
std::vector<std::string> lines_of_list(const Path& file);

/// The labels that a file names, one identity per line: by name, or by number in a released store, which has
/// no names. Blank lines are skipped, and repeated ones count once. Throws ConfigError with the unknown ones
/// and the nearest names, and for a file that names nobody; FileError.
std::vector<std::int64_t> read_identities(const Store& store, const Path& file);

/// What a view keeps of a store.
struct Selection {
  std::vector<bool> identities;           ///< by label; those kept are renumbered 0.. in their order
  bool unlabelled = false;                ///< images with label -1
  std::uint64_t images_per_identity = 0;  ///< at most, the first in the store's order; 0 all
  std::uint64_t least_images = 0;         ///< identities with fewer are left out
  std::vector<std::uint64_t> without =
      {};  ///< rows that are left out, with identities of which nothing remains
};
/// What a selection left out that it did not name.
struct AlsoLeftOut {
  std::vector<std::int64_t> emptied;  ///< labels of identities of which every image was left out by its row
  std::uint64_t small = 0;            ///< identities with too few images
};
/// Writes a view by reference. Throws ConfigError when nothing would be left, or another store is in `out`.
AlsoLeftOut select_from_store(FileSystem& files, const Store& parent, const Selection& selection,
                              const Path& out);

struct CompactConfig {
  bool skip_bad = false;  ///< leave out what cannot be read, and list it in rejects.csv
  bool show_progress = false;
};
/// Makes a store with its own shards that hold the images of a view, and nothing of those that the view
/// leaves out, so that the parent store can be deleted. One shard for each shard of the parent with an image
/// of the view; rows in the parent's order. Shards that an earlier start finished are kept. Returns how many
/// images were left out. Throws ConfigError when `view` is not a view or another store is in `out`, DataError or
/// FileError for an image that cannot be read.
std::uint64_t compact_store(FileSystem& files, const Path& view, const Path& out,
                            const CompactConfig& config = {});

/// Verification pairs: same and different alternate; folds are identity-disjoint and in order.
struct Pair {
  std::uint64_t a = 0, b = 0;  ///< rows
  bool same = false;
};
struct PairList {
  int folds = 10;
  std::vector<Pair> pairs;  ///< folds * (pairs / folds), fold by fold
};
/// Half same, half different in every fold. Throws ConfigError when the store has too few
/// identities or images.
PairList make_pairs(const Store& store, int folds, std::uint64_t pairs, std::uint64_t seed);
/// Writes text that evaluation/formats/pair_list.h reads: a heading "# facemae pairs: folds F, store DIGEST", then
/// "a b same" with rows of the store (same 1 or 0).
void write_pairs(FileSystem& files, const Path& path, const PairList& pairs, const Store& store);

}  // namespace facemae
