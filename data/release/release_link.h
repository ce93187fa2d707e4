#pragma once
// The link of a release: which photos each released picture was made of. Whoever has it knows who is who.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "data/release/private_folder.h"
#include "data/release/release_plan.h"
#include "data/release/release_secret.h"
#include "data/store/store.h"

namespace facemae {

struct ReleaseLink {
  std::string source_digest, released_digest;
  std::vector<std::uint64_t> source_rows;  ///< of all pictures, one picture after the other
  /// Where the rows of each picture begin, and their end: pictures + 1. None: a row for each picture.
  std::vector<std::uint64_t> offsets;
  bool is_blend() const { return !offsets.empty(); }
  std::uint64_t pictures() const { return is_blend() ? offsets.size() - 1 : source_rows.size(); }
  /// The source rows that picture `released_row` was made of: one, or those of all contributors to a blend.
  std::span<const std::uint64_t> sources_of(std::uint64_t released_row) const {
    const std::uint64_t first = is_blend() ? offsets[released_row] : released_row;
    const std::uint64_t end = is_blend() ? offsets[released_row + 1] : released_row + 1;
    return std::span(source_rows).subspan(first, end - first);
  }
};

/// Writes PRIVATE/link.h5. That of an earlier release is kept as link-<uuid>.h5.
void write_link(PrivateFolder& folder, const ReleaseSecret& secret, const ReleasePlan& plan,
                const Hash128& released_digest, const Store& source);
/// With a digest, the link of that release among those of several, or link.h5 when none matches. Throws DataError.
ReleaseLink read_link(const Path& private_folder, const std::string& released_digest = "");

/// The people of each class, ascending: labels of `source`, from which the release was made. `labels` are those of the
/// pictures; pictures without one belong to no class.
std::vector<std::vector<std::int64_t>> people_of_classes(const ReleaseLink& link, const Store& source,
                                                         std::span<const std::int64_t> labels,
                                                         std::int64_t classes);

}  // namespace facemae
