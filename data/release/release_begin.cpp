#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/failpoint.h"
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

/// Throws ReleaseRefused when people of `images` would be in classes of another size than in a release of the
/// ledger, whatever the reason: what is published of two such releases tells the people of a class apart.
void refuse_another_partition(const PrivateFolder& folder, const std::vector<LedgerEntry>& entries,
                              const Store& source, std::uint64_t people_per_class,
                              const std::vector<Hash256>& images) {
  std::uint64_t again = 0, before = 0;
  const auto compare = [&](const std::vector<Hash256>& earlier, std::uint64_t people) {
    std::vector<Hash256> both;
    std::set_intersection(earlier.begin(), earlier.end(), images.begin(), images.end(),
                          std::back_inserter(both));
    if (both.size() <= again) return;
    again = both.size();
    before = people;
  };
  const auto of_partition = std::find_if(entries.begin(), entries.end(),
                                         [](const LedgerEntry& entry) { return entry.people_per_class > 1; });
  if (of_partition != entries.end() && of_partition->people_per_class != people_per_class) {
    std::vector<Hash256> photos;
    for (const auto& person : read_partition(folder).people)
      photos.insert(photos.end(), person.begin(), person.end());
    std::sort(photos.begin(), photos.end());
    compare(photos, of_partition->people_per_class);
    if (people_per_class > 1 && again == 0)
      throw ReleaseRefused(fmt::format(
          "releasing {} in classes of {} people: the private folder {} has a partition into classes of {}; keep to it, or give these other people a private folder of their own",
          source.folder().string(), people_per_class, folder.path().string(),
          of_partition->people_per_class));
  }
  for (const LedgerEntry& entry : entries) {
    if (entry.people_per_class == people_per_class) continue;
    if (entry.images)
      compare(read_originals(folder, entry.uuid, *entry.images), entry.people_per_class);
    else
      compare(images,
              entry.people_per_class);  // made by an older version: the same faces, as far as is known
  }
  if (again == 0) return;
  throw ReleaseRefused(fmt::format(
      "releasing {} in classes of {}: {} of its {} faces are of people whom the private folder {} has in classes of {}. "
      "Whoever has both releases can tell the people of a class apart, so no reason permits it. "
      "Keep to the earlier classes; if nothing of them has left your hands, remove those releases and their private folder together",
      source.folder().string(),
      people_per_class == 1 ? "one person" : fmt::format("{} people", people_per_class), human_count(again),
      human_count(images.size()), folder.path().string(),
      before == 1 ? "one person" : fmt::format("{} people", before)));
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

BlendGroups groups_of_release(const PrivateFolder& folder, const ReleaseSecret& secret, const Store& source,
                              const ReleaseChoice& choice, const std::vector<Hash256>& originals) {
  const auto identities = rows_to_take(source, choice);
  BlendGroups found;
  if (choice.blend->people == 1) {
    for (const ReleaseCandidates& identity : identities) found.groups.push_back({identity.rows});
    return found;
  }
  const Partition partition = read_partition(folder);
  std::uint64_t groups = partition.groups();
  for (const LedgerEntry& entry : read_ledger(folder))
    if (entry.uuid == secret.uuid) groups = std::min(groups, entry.groups);
  return groups_in(partition, groups, recognise(partition, identities, originals),
                   choice.blend->photos_each());
}

namespace {

/// The partition of the folder with the people of the source in it. One that no release of the ledger has counts for
/// nothing: the start that drew it ended before it noted a release.
Partition partition_with(const PrivateFolder& folder, const std::vector<LedgerEntry>& entries,
                         const Store& source, const ReleaseChoice& choice,
                         const std::vector<Hash256>& originals) {
  const bool begun = std::any_of(entries.begin(), entries.end(),
                                 [](const LedgerEntry& entry) { return entry.people_per_class > 1; });
  Partition partition =
      begun ? read_partition(folder)
            : Partition{.key = random_key(), .people_per_group = choice.blend->people, .people = {}};
  extend(partition, recognise(partition, rows_to_take(source, choice), originals), originals);
  return partition;
}

}  // namespace

ReleaseSecret open_release(PrivateFolder& folder, const Path& out, const Store& source,
                           const ReleaseChoice& choice, const std::vector<Hash256>& originals,
                           const std::string& second_release_reason) {
  check_separate(folder.path(), out);
  const Path released = whole_path(out);
  auto entries = read_ledger(folder);
  const std::string digest = source.dataset_digest().hex();
  for (const LedgerEntry& entry : entries)
    if (entry.dataset == digest && entry.out == released.string()) return load_secret(folder, entry.uuid);
  check_release(source, choice);
  std::vector<std::uint64_t> rows;
  for (const auto& own : rows_to_take(source, choice))
    rows.insert(rows.end(), own.rows.begin(), own.rows.end());
  const auto taken = images_of(rows, originals);
  const std::uint64_t people = choice.blend ? choice.blend->people : 1;
  refuse_another_partition(folder, entries, source, people, taken);
  if (second_release_reason.empty()) refuse_a_second_release(folder, entries, source, taken);
  // Only what is written from now on may be in the release.
  if (fs::exists(released) && !(fs::is_directory(released) && fs::is_empty(released)))
    throw ConfigError("beginning a release in " + out.string() +
                      ": it exists already and is not empty; choose a new folder");
  ReleaseSecret secret{.key = random_key(),
                       .uuid = random_uuid(),
                       .source_digest = digest,
                       .out = released.string(),
                       .masks = {}};
  LedgerEntry entry{.dataset = digest,
                    .out = released.string(),
                    .uuid = secret.uuid,
                    .reason = second_release_reason,
                    .finished = false,
                    .images = {},
                    .people_per_class = people,
                    .partition = {}};
  ReleaseChoice chosen = choice;
  if (people > 1) {
    const Partition partition = partition_with(folder, entries, source, choice, originals);
    secret.masks = partition.mask_key();
    entry.groups = partition.groups();
    chosen.groups =
        groups_in(partition, partition.groups(),
                  recognise(partition, rows_to_take(source, choice), originals), choice.blend->photos_each())
            .groups;
    if (chosen.groups.empty())
      throw ReleaseRefused(fmt::format(
          "releasing {} in classes of {} people: every class of the partition in {} lacks somebody, and nobody may take that place; "
          "release the people whom it has with the photos that they had",
          source.folder().string(), people, folder.path().string()));
    entry.partition = write_partition(folder, partition);
    failpoint("release.partition");
  } else if (choice.blend) {
    chosen.groups = groups_of_release(folder, secret, source, choice, originals).groups;
  }
  const auto images = images_of(plan_release(source, secret, chosen, 1).source_rows, originals);
  entry.images = images.size();
  // The list and the secret come first: an entry in the ledger always has both.
  write_originals(folder, secret.uuid, images);
  store_secret(folder, secret);
  entries.push_back(std::move(entry));
  write_ledger(folder, entries);
  return secret;
}

}  // namespace facemae
