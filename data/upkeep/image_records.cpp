#include "data/upkeep/image_records.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/store/manifest_arrays.h"

namespace facemae {
namespace {

/// Finding nearest names costs a pass over all identities, so only the first unknown words get one.
constexpr std::size_t kExplained = 5;

std::optional<std::uint64_t> row_number(const std::string& word) {
  std::uint64_t row = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), row);
  if (end != word.data() + word.size() || fault == std::errc::invalid_argument) return std::nullopt;
  return fault == std::errc() ? row : ~std::uint64_t{0};  // digits, but more than a row has
}

std::string why_unknown(const Store& store, const ImageRecords& records, const std::string& word,
                        const std::vector<std::string>& names) {
  const std::string said = "\"" + word + "\": ";
  if (row_number(word)) return said + fmt::format("there are rows 0..{}", store.size() - 1);
  if (!records.has_sources()) return said + "a released or joined store knows no source names, give a row";
  const std::string person = word.substr(0, word.rfind('/'));
  if (person == word) return said + "expected a row or identity/file name";
  const auto label = std::find(names.begin(), names.end(), person);
  if (label != names.end())
    return said + fmt::format("{} has {} images, none from a file of this name", person,
                              store.rows_of(label - names.begin()).size());
  const std::string near = nearest(person, names);
  return said + "no identity is called " + person + (near.empty() ? "" : "; did you mean " + near + "?");
}

}  // namespace

ImageRecords::ImageRecords(const Path& folder) : chain_(manifest_chain(folder)) {
  const auto& [root_folder, root] = chain_.back();
  for (const ShardInfo& shard : root.shards) {
    shards_.push_back(read_shard(root_folder / shard.file, SealCheck::Unhashed));
    if (shards_.back().info.images != shard.images)
      throw DataError((root_folder / shard.file).string() + " has changed since the store was opened");
  }
  for (auto& [view_folder, view] : chain_)
    if (view.kind == StoreManifest::Kind::View) read_view(view_folder, view, SealCheck::Unhashed);
  has_sources_ = root.ingest_seed.has_value();
}

std::pair<const ShardIndex&, std::uint64_t> ImageRecords::place(std::uint64_t row) const {
  for (const auto& [folder, manifest] : chain_) {
    if (row >= manifest.images)
      throw DataError(
          fmt::format("there is no row {} in {}: a view of it has changed meanwhile", row, folder.string()));
    if (manifest.kind == StoreManifest::Kind::View) row = manifest.rows[row];
  }
  const auto& shards = chain_.back().manifest.shards;
  const auto after = std::upper_bound(
      shards.begin(), shards.end(), row,
      [](std::uint64_t wanted, const ShardInfo& shard) { return wanted < shard.first_global; });
  const auto shard = static_cast<std::size_t>(after - shards.begin()) - 1;
  return {shards_[shard], row - shards[shard].first_global};
}

std::uint64_t ImageRecords::bytes(std::uint64_t row) const {
  const auto [index, at] = place(row);
  return index.offsets[at + 1] - index.offsets[at];
}

std::optional<std::uint8_t> ImageRecords::flags(std::uint64_t row) const {
  const auto [index, at] = place(row);
  return index.flags.empty() ? std::nullopt : std::optional(index.flags[at]);
}

std::vector<std::vector<std::uint64_t>> ImageRecords::rows_from(
    const std::vector<std::string>& sources) const {
  std::vector<std::vector<std::uint64_t>> rows(sources.size());
  if (!has_sources_) return rows;
  std::unordered_multimap<std::uint64_t, std::size_t> wanted;
  for (std::size_t i = 0; i < sources.size(); ++i) wanted.emplace(xxh64(bytes_of(sources[i])), i);
  for (std::uint64_t row = 0; row < chain_.front().manifest.images; ++row) {
    const auto [index, at] = place(row);
    const auto [first, last] = wanted.equal_range(index.source_keys[at]);
    for (auto match = first; match != last; ++match) rows[match->second].push_back(row);
  }
  return rows;
}

std::vector<std::uint64_t> rows_named(const Store& store, const ImageRecords& records,
                                      const std::vector<std::string>& words, const std::string& what) {
  std::vector<std::string> sources, unknown;
  for (const auto& word : words)
    if (!row_number(word)) sources.push_back(word);
  const auto found = sources.empty() ? std::vector<std::vector<std::uint64_t>>() : records.rows_from(sources);
  std::vector<std::uint64_t> rows;
  auto next = found.begin();
  for (const auto& word : words) {
    if (const auto row = row_number(word)) {
      *row < store.size() ? rows.push_back(*row) : unknown.push_back(word);
      continue;
    }
    if (next->empty()) unknown.push_back(word);
    rows.insert(rows.end(), next->begin(), next->end());
    ++next;
  }
  if (unknown.empty()) return rows;
  std::vector<std::string> names;
  for (std::int64_t label = 0; label < store.identities(); ++label)
    names.push_back(store.identity_name(label));
  std::string text;
  for (std::size_t i = 0; i < unknown.size() && i < kExplained; ++i)
    text += "; " + why_unknown(store, records, unknown[i], names);
  throw ConfigError(fmt::format("{}: {} of {} name no image of {}{}{}", what, unknown.size(), words.size(),
                                store.folder().string(), text, unknown.size() > kExplained ? "; ..." : ""));
}

}  // namespace facemae
