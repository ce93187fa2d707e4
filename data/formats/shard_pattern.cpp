#include "data/formats/shard_pattern.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

bool are_digits(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string ShardPattern::name(std::uint64_t shard) const {
  return fmt::format("{}{:0{}}{}", before, first + shard, width, after);
}

std::optional<ShardPattern> shard_pattern(std::string_view file_name) {
  if (file_name.find("%d") != file_name.npos || file_name.find("%0") != file_name.npos)
    throw ConfigError(
        fmt::format("the names of shards \"{}\": say how many there are, as WebDataset's readers want it: "
                    "faces-{{000000..000870}}.tar",
                    file_name));
  const auto open = file_name.find('{'), dots = file_name.find("..", open), close = file_name.find('}', dots);
  if (open == file_name.npos || dots == file_name.npos || close == file_name.npos) return std::nullopt;
  const std::string_view first = file_name.substr(open + 1, dots - open - 1),
                         last = file_name.substr(dots + 2, close - dots - 2);
  if (!are_digits(first) || !are_digits(last)) return std::nullopt;
  const std::uint64_t from = std::stoull(std::string(first)), to = std::stoull(std::string(last));
  if (first.size() != last.size() || from > to || file_name.find('{', open + 1) != file_name.npos)
    throw ConfigError(fmt::format(
        "the names of shards \"{}\": expected one pair of braces with two ascending numbers of equal width, "
        "such as faces-{{000000..000870}}.tar",
        file_name));
  return ShardPattern{.before = std::string(file_name.substr(0, open)),
                      .after = std::string(file_name.substr(close + 1)),
                      .first = from,
                      .count = to - from + 1,
                      .width = first.size()};
}

}  // namespace facemae
