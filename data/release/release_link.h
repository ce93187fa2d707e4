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
  std::vector<std::uint64_t> source_rows;  ///< of all sets, one set after the other
  /// Where the rows of each set begin, and their end: sets + 1. None: each row is a set.
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint64_t> set_of;  ///< of each picture; none: picture i has set i
  std::uint64_t sets() const { return offsets.empty() ? source_rows.size() : offsets.size() - 1; }
  std::uint64_t pictures() const { return set_of.empty() ? sets() : set_of.size(); }
  /// The source rows that picture `released_row` was made of: one, or those of all contributors to a blend or a code.
  std::span<const std::uint64_t> sources_of(std::uint64_t released_row) const {
    const std::uint64_t set = set_of.empty() ? released_row : set_of[released_row];
    const std::uint64_t first = offsets.empty() ? set : offsets[set];
    const std::uint64_t end = offsets.empty() ? set + 1 : offsets[set + 1];
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
