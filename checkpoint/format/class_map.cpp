#include "checkpoint/format/class_map.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <sstream>

#include "checkpoint/format/layout.h"
#include "core/error.h"
#include "core/files/text_lines.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

std::optional<std::int64_t> number(const std::string& word) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value < 0) return {};
  return value;
}

}  // namespace

ClassMap read_class_map(const Path& file, std::int64_t classes) {
  std::istringstream in;
  try {
    in.str(read_text(file));
  } catch (const FileError& error) {
    if (error.may_pass()) throw;
    throw ConfigError(std::string("--class-map: ") + error.what());
  }
  ClassMap map(static_cast<std::size_t>(classes), -1);
  std::int64_t line_number = 0;
  bool names_any = false;
  for (std::string line; std::getline(in, line);) {
    ++line_number;
    const std::string text = trim(line.substr(0, line.find('#')));
    if (text.empty()) continue;
    const auto words = split(text, ',');
    const auto now = number(trim(words[0]));
    const auto before = words.size() == 2 ? number(trim(words[1])) : std::nullopt;
    if (!now && line_number == 1) continue;  // a heading
    const auto at = fmt::format("--class-map: line {} of {}", line_number, file.string());
    if (!now || !before) throw ConfigError(at + " is not \"now,before\", two class numbers: " + text);
    if (*now >= classes)
      throw ConfigError(fmt::format("{} names class {}, but there are {}", at, *now, classes));
    auto& entry = map[static_cast<std::size_t>(*now)];
    if (entry >= 0) throw ConfigError(fmt::format("{} names class {} a second time", at, *now));
    entry = *before;
    names_any = true;
  }
  if (!names_any)  // all classes would start afresh
    throw ConfigError("--class-map: " + file.string() + " names no class");
  return map;
}

void check_class_map(const ClassMap& map, std::int64_t classes) {
  for (std::size_t now = 0; now < map.size(); ++now)
    if (map[now] >= classes)
      throw ConfigError(
          fmt::format("--class-map: class {} is to come from class {} of the checkpoint, which has {}", now,
                      map[now], classes));
}

void read_mapped_rows(CheckpointReader& reader, const Manifest& manifest, const ManifestTensor& tensor,
                      const ClassMap& map, std::int64_t first, std::int64_t rows, std::span<std::byte> out) {
  const std::int64_t classes = tensor.shape.at(0);
  if (classes == 0 || rows == 0) return;
  const std::uint64_t row = tensor_bytes(tensor) / static_cast<std::uint64_t>(classes);
  struct Wanted {
    std::uint64_t begin;  ///< byte of the tensor
    std::uint64_t to;     ///< byte of `out`
  };
  std::vector<Wanted> wanted;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t before = map.at(static_cast<std::size_t>(first + i));
    if (before < 0) continue;
    wanted.push_back({static_cast<std::uint64_t>(before) * row, static_cast<std::uint64_t>(i) * row});
  }
  std::sort(wanted.begin(), wanted.end(), [](const Wanted& a, const Wanted& b) { return a.begin < b.begin; });
  std::vector<std::byte> buffer;
  auto next = wanted.begin();
  for (const ByteRange& leaf : leaves_of(tensor, manifest.virtual_shards)) {
    while (next != wanted.end() && next->begin + row <= leaf.begin) ++next;
    if (next == wanted.end()) return;
    if (next->begin >= leaf.end()) continue;
    buffer.resize(leaf.bytes);
    reader.read(tensor, leaf, buffer);
    for (auto at = next; at != wanted.end() && at->begin < leaf.end(); ++at) {
      const std::uint64_t begin = std::max(at->begin, leaf.begin),
                          end = std::min(at->begin + row, leaf.end());
      std::memcpy(out.data() + at->to + (begin - at->begin), buffer.data() + (begin - leaf.begin),
                  end - begin);
    }
  }
}

}  // namespace facemae
