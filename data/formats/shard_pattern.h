#pragma once
// The names of the shards of a WebDataset as one text: "faces-{000000..000870}.tar". Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace facemae {

struct ShardPattern {
  std::string before, after;  ///< the braces
  std::uint64_t first = 0, count = 0;
  std::size_t width = 0;                        ///< digits of each number
  std::string name(std::uint64_t shard) const;  ///< 0 .. count - 1
};

/// nullopt for a name without such braces. Throws ConfigError when there are several, when the numbers do not ascend or
/// are not equally wide (WebDataset would then look for other names), and for the %06d of WebDataset's writer.
std::optional<ShardPattern> shard_pattern(std::string_view file_name);

}  // namespace facemae
