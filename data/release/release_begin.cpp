#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/release/release.h"
#include "data/release/release_ledger.h"
#include "data/release/release_originals.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

Path whole_path(const Path& path) {
  const Path whole = fs::weakly_canonical(fs::absolute(path));
  return whole.has_filename() ? whole : whole.parent_path();  // without a trailing slash
}

bool inside(const Path& inner, const Path& outer) {
  return std::mismatch(inner.begin(), inner.end(), outer.begin(), outer.end()).second == outer.end();
}

/// Which images these rows have, each once, in ascending order.
std::vector<Hash256> images_of(const std::vector<std::uint64_t>& rows,
                               const std::vector<Hash256>& originals) {
  std::vector<Hash256> images;
  images.reserve(rows.size());
  for (const std::uint64_t row : rows) images.push_back(originals[row]);
  std::sort(images.begin(), images.end());
  images.erase(std::unique(images.begin(), images.end()), images.end());
  return images;
}

/// Throws ReleaseRefused when a release in the ledger has one of `images`, which are to be released now.
void refuse_a_second_release(const PrivateFolder& folder, const std::vector<LedgerEntry>& entries,
                             const Store& source, const std::vector<Hash256>& images) {
  std::vector<bool> seen(images.size());
  std::size_t without_list = 0;
  for (const LedgerEntry& entry : entries) {
    if (!entry.images) {
      ++without_list;
      continue;
    }
    const auto before = read_originals(folder, entry.uuid, *entry.images);
    for (std::size_t i = 0; i < images.size(); ++i)
      seen[i] = seen[i] || std::binary_search(before.begin(), before.end(), images[i]);
  }
  const auto again = static_cast<std::uint64_t>(std::count(seen.begin(), seen.end(), true));
  if (again == 0 && without_list == 0) return;
  const std::string what =
      again > 0
          ? fmt::format("{} of its {} faces are in releases that the ledger {} lists", human_count(again),
                        human_count(images.size()), (folder.path() / "ledger.jsonl").string())
          : fmt::format(
                "{} release(s) in the ledger {} were made by an older version, which did not record their images; "
                "they are assumed to show the same faces",
                without_list, (folder.path() / "ledger.jsonl").string());
  throw ReleaseRefused("releasing " + source.folder().string() + ": " + what +
                       ". Two releases of one face together reveal more than one. "
                       "Give --second-release REASON if that is intended");
}

}  // namespace

void check_separate(const Path& private_folder, const Path& out) {
  const Path secret = whole_path(private_folder), released = whole_path(out);
  if (inside(secret, released) || inside(released, secret))
    throw ConfigError(
        "the private folder " + private_folder.string() + " and the release " + out.string() +
        " lie one inside the other: whoever gets the release would get its secret; choose separate folders");
}

ReleaseSecret open_release(PrivateFolder& folder, const Path& out, const Store& source,
                           const ReleaseChoice& choice, const std::vector<Hash256>& originals,
                           const std::string& second_release_reason) {
  check_separate(folder.path(), out);
  const Path released = whole_path(out);
  auto entries = read_ledger(folder);
  const std::string digest = source.dataset_digest().hex();
  for (const LedgerEntry& entry : entries)
    if (entry.dataset == digest && entry.out == released.string()) return load_secret(folder, entry.uuid);
  if (second_release_reason.empty()) {
    std::vector<std::uint64_t> rows;
    for (const auto& own : rows_to_take(source, choice))
      rows.insert(rows.end(), own.rows.begin(), own.rows.end());
    refuse_a_second_release(folder, entries, source, images_of(rows, originals));
  }
  // Only what is written from now on may be in the release.
  if (fs::exists(released) && !(fs::is_directory(released) && fs::is_empty(released)))
    throw ConfigError("beginning a release in " + out.string() +
                      ": it exists already and is not empty; choose a new folder");
  ReleaseSecret secret{
      .key = random_key(), .uuid = random_uuid(), .source_digest = digest, .out = released.string()};
  const auto images = images_of(plan_release(source, secret, choice, 1).source_rows, originals);
  // The list and the secret come first: an entry in the ledger always has both.
  write_originals(folder, secret.uuid, images);
  store_secret(folder, secret);
  entries.push_back({.dataset = digest,
                     .out = released.string(),
                     .uuid = secret.uuid,
                     .reason = second_release_reason,
                     .finished = false,
                     .images = images.size()});
  write_ledger(folder, entries);
  return secret;
}

}  // namespace facemae
