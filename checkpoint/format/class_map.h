#pragma once
// Loads class rows when the classes have changed: identities added, removed, reordered. Free of LibTorch.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/format/reader.h"

namespace facemae {

/// For each present class its class in the checkpoint, or -1 for a new one. Classes of the checkpoint that
/// are not named are dropped.
using ClassMap = std::vector<std::int64_t>;

/// Reads lines "now,before", both counted from 0; classes that are not named are new. `#` begins a comment,
/// and a first line of words is skipped. Throws ConfigError naming the line for anything else, for a present
/// class that is named twice or is not below `classes`, and for a file that names none; FileError.
ClassMap read_class_map(const Path& file, std::int64_t classes);

/// Throws ConfigError when a class is to come from one that the checkpoint, with `classes` classes,
/// does not have.
void check_class_map(const ClassMap& map, std::int64_t classes);

/// Copies the rows of classes [first, first + rows) into `out`, whose rows have the tensor's length;
/// those of new classes are left as they are. Every leaf that is touched is checked. The map must
/// fit. Throws CheckpointError.
void read_mapped_rows(CheckpointReader& reader, const Manifest& manifest, const ManifestTensor& tensor,
                      const ClassMap& map, std::int64_t first, std::int64_t rows, std::span<std::byte> out);

}  // namespace facemae
