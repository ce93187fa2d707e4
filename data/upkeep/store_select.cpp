#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "core/files/text_lines.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "core/text.h"
#include "data/store/manifest.h"
#include "data/upkeep/store_tools.h"

namespace facemae {
namespace {

/// Finding nearest names costs a pass over all of them, so only the first unknown lines get one.
constexpr std::size_t kSuggestions = 5;

/// The label of each line, -1 if unknown.
std::vector<std::int64_t> labels_by_name(const Store& store, const std::vector<std::string>& lines) {
  std::unordered_map<std::string, std::int64_t> label_of;
  for (const auto& line : lines)
    for (const auto& name : {line, trim(line)}) label_of.emplace(name, -1);
  for (std::int64_t label = 0; label < store.identities(); ++label)
    if (const auto at = label_of.find(store.identity_name(label)); at != label_of.end()) at->second = label;
  std::vector<std::int64_t> labels;
  labels.reserve(lines.size());
  for (const auto& line : lines)  // a name may end with a blank, but mostly the blank is a slip
    labels.push_back(std::max(label_of.at(line), label_of.at(trim(line))));
  return labels;
}

std::vector<std::int64_t> labels_by_number(const Store& store, const std::vector<std::string>& lines) {
  std::vector<std::int64_t> labels;
  for (const auto& given : lines) {
    const std::string line = trim(given);
    std::int64_t label = -1;
    const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), label);
    const bool known = code == std::errc() && end == line.data() + line.size() && label < store.identities();
    labels.push_back(known ? std::max<std::int64_t>(label, -1) : -1);
  }
  return labels;
}

std::string nearest_names(const Store& store, const std::vector<std::string>& unknown) {
  std::vector<std::string> names;
  for (std::int64_t label = 0; label < store.identities(); ++label)
    names.push_back(store.identity_name(label));
  std::string text;
  for (std::size_t i = 0; i < unknown.size() && i < kSuggestions; ++i) {
    const std::string near = nearest(unknown[i], names);
    text += "; \"" + unknown[i] + "\"" + (near.empty() ? "" : ": did you mean " + near + "?");
  }
  return text;
}

}  // namespace

std::vector<std::string> lines_of_list(const Path& file) {
  std::vector<std::string> lines;
  TextLines text(file);
  for (std::string_view line; text.next(line);)
    if (!trim(line).empty()) lines.emplace_back(line);
  return lines;
}

std::vector<std::int64_t> read_identities(const Store& store, const Path& file) {
  const auto lines = lines_of_list(file);
  if (lines.empty())
    throw ConfigError("reading the identities in " + file.string() +
                      ": it names nobody; one identity per line is expected");
  const bool named = store.identities() > 0 && !store.identity_name(0).empty();
  auto labels = named ? labels_by_name(store, lines) : labels_by_number(store, lines);
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (labels[i] < 0) unknown.push_back(lines[i]);
  if (!unknown.empty())
    throw ConfigError(
        fmt::format("reading the identities in {}: {} of {} lines name no identity of {}{}{}", file.string(),
                    unknown.size(), lines.size(), store.folder().string(),
                    named ? nearest_names(store, unknown)
                          : fmt::format("; \"{}\" is not one of its labels 0..{} (it has no names)",
                                        unknown.front(), store.identities() - 1),
                    unknown.size() > kSuggestions && named ? "; ..." : ""));
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

AlsoLeftOut select_from_store(FileSystem& files, const Store& parent, const Selection& selection,
                              const Path& out) {
  const auto identities = static_cast<std::size_t>(parent.identities());
  const std::set<std::uint64_t> without(selection.without.begin(), selection.without.end());
  std::map<std::int64_t, std::uint64_t> lost;  // images of a label that are left out by their rows
  for (const std::uint64_t row : without) ++lost[parent.label(row)];
  AlsoLeftOut left_out;
  std::vector<std::int64_t> new_label(identities, -1);
  std::vector<std::string> names;
  std::int64_t kept = 0;
  for (std::size_t k = 0; k < identities; ++k) {
    if (!selection.identities.at(k)) continue;
    const auto label = static_cast<std::int64_t>(k);
    const auto gone = lost.find(label);
    if (gone != lost.end() || selection.least_images > 0) {
      const std::uint64_t images = parent.rows_of(label).size(),
                          remaining = images - (gone == lost.end() ? 0 : gone->second);
      const bool emptied = images > 0 && remaining == 0, small = remaining < selection.least_images;
      if (emptied) left_out.emptied.push_back(label);
      if (small && !emptied) ++left_out.small;
      if (small || emptied) continue;
    }
    new_label[k] = kept++;
    std::string name = parent.identity_name(label);
    if (!name.empty()) names.push_back(std::move(name));
  }
  std::vector<std::uint64_t> rows, seen(identities);
  std::vector<std::int64_t> labels;
  for (std::uint64_t row = 0; row < parent.size(); ++row) {
    const std::int64_t label = parent.label(row);
    const bool wanted = label < 0 ? selection.unlabelled : new_label[static_cast<std::size_t>(label)] >= 0;
    const std::uint64_t most = selection.images_per_identity;
    if (!wanted || without.contains(row) ||
        (label >= 0 && most > 0 && seen[static_cast<std::size_t>(label)]++ >= most))
      continue;
    rows.push_back(row);
    labels.push_back(label < 0 ? -1 : new_label[static_cast<std::size_t>(label)]);
  }
  if (rows.empty())
    throw ConfigError("making a view of " + parent.folder().string() + ": no image would be left in it");
  write_view(files, out, parent, std::move(rows), std::move(labels), kept, std::move(names));
  return left_out;
}

void split_store(FileSystem& files, const Store& parent, double fraction, std::uint64_t seed, const Path& a,
                 const Path& b) {
  const std::int64_t identities = parent.identities();
  const auto in_a = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(identities)));
  if (!(fraction > 0 && fraction < 1) || in_a < 1 || in_a >= identities) {
    throw ConfigError(
        fmt::format("splitting {} identities of {} at the fraction {}: one side would be empty; "
                    "give a fraction, or a number of identities, that leaves one on both",
                    identities, parent.folder().string(), fraction));
  }
  if (std::filesystem::weakly_canonical(a) == std::filesystem::weakly_canonical(b)) {
    throw ConfigError("splitting " + parent.folder().string() + ": both sides would be written to " +
                      a.string());
  }
  const Permutation place(static_cast<std::uint64_t>(identities), key_of(seed, Purpose::Split));
  Selection first, second;
  for (std::uint64_t k = 0; k < static_cast<std::uint64_t>(identities); ++k) {
    const bool in_first = place(k) < static_cast<std::uint64_t>(in_a);
    first.identities.push_back(in_first);
    second.identities.push_back(!in_first);
  }
  select_from_store(files, parent, first, a);
  select_from_store(files, parent, second, b);
}

}  // namespace facemae
