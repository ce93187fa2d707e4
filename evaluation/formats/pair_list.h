#pragma once
// Texts of verification pairs, our own and those that test sets are published with (docs/FORMATS.md, "Pairs").
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// What a list calls an image.
struct ListedImage {
  std::string name;                     ///< a path or a row; with a number: a person
  std::optional<std::uint64_t> number;  ///< which of the person's images, as LFW counts them
  std::uint64_t line = 0;               ///< that names it first
};

struct ListedPairs {
  struct Pair {
    std::size_t first = 0, second = 0;  ///< positions in `images`
    bool same = false;
  };
  std::vector<ListedImage> images;  ///< each once, in order of first appearance
  std::vector<Pair> pairs;          ///< fold by fold, never none
  /// Those of the list where it states them, and then of equal size; else the largest number up to 10 that divides the
  /// pairs, or 10 when none does.
  int folds = 0;
  std::string store_digest;  ///< of the store whose rows are named; "" if the list does not say
};

/// Throws DataError naming `path` and the line.
ListedPairs parse_pair_list(std::string_view text, const Path& path);
/// `path` may be a pipe. Throws FileError, too.
ListedPairs read_pair_list(const Path& path);

}  // namespace facemae
