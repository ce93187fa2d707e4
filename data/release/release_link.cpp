#include "data/release/release_link.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "data/hdf5/hdf5.h"

namespace facemae {
namespace {

constexpr const char* kLinkName = "link.h5";
constexpr const char* kLinkFormat = "facemae-link";

/// The source label of each released label.
std::vector<std::int64_t> label_map(const ReleasePlan& plan, const Store& source) {
  std::vector<std::int64_t> map(static_cast<std::size_t>(plan.identities), -1);
  for (std::size_t i = 0; i < plan.labels.size(); ++i) {
    if (plan.labels[i] >= 0)
      map[static_cast<std::size_t>(plan.labels[i])] = source.label(plan.source_rows[i]);
  }
  return map;
}

/// A set of rows for each class. A picture without a class is made of its own photos.
void write_classes(hdf5::File& file, const ReleasePlan& plan) {
  std::vector<std::uint64_t> rows, offsets{0}, set_of;
  const auto add_set = [&](std::span<const std::uint64_t> own) {
    rows.insert(rows.end(), own.begin(), own.end());
    offsets.push_back(rows.size());
    return offsets.size() - 2;
  };
  std::map<std::int64_t, std::uint64_t> set_of_class;
  for (const auto& [label, own] : rows_of_classes(plan))
    if (label >= 0) set_of_class[label] = add_set(own);
  for (std::uint64_t picture = 0; picture < plan.pictures(); ++picture) {
    const std::int64_t label = plan.labels[picture];
    set_of.push_back(label >= 0
                         ? set_of_class.at(label)
                         : add_set(std::span(plan.source_rows).subspan(picture * plan.photos, plan.photos)));
  }
  file.write_array("/source_row", rows);
  file.write_array("/source_offset", offsets);
  file.write_array("/source_set", set_of);
}

ReleaseLink read_link_file(const Path& path) {
  const auto file = hdf5::Reader::open(path);
  if (!file.has_attribute("format") || file.read_text("format") != kLinkFormat) {
    throw DataError(path.string() + " is an HDF5 file but not the link of a release");
  }
  ReleaseLink link{.source_digest = file.read_text("source_digest"),
                   .released_digest = file.read_text("released_digest"),
                   .source_rows = file.read_array<std::uint64_t>("/source_row"),
                   .offsets = {},
                   .set_of = {}};
  if (!file.has("/source_offset")) return link;
  link.offsets = file.read_array<std::uint64_t>("/source_offset");
  if (file.has("/source_set")) link.set_of = file.read_array<std::uint64_t>("/source_set");
  if (link.offsets.empty() || link.offsets.front() != 0 || link.offsets.back() != link.source_rows.size() ||
      !std::is_sorted(link.offsets.begin(), link.offsets.end()) ||
      std::any_of(link.set_of.begin(), link.set_of.end(),
                  [&](std::uint64_t set) { return set >= link.sets(); }))
    throw DataError(path.string() + " is damaged: its pictures and its photos do not agree; restore it");
  return link;
}

}  // namespace

void write_link(PrivateFolder& folder, const ReleaseSecret& secret, const ReleasePlan& plan,
                const Hash128& released_digest, const Store& source) {
  const std::string temporary = std::string(kLinkName) + ".tmp";
  // The link of an earlier release is kept beside it.
  if (folder.has(kLinkName)) {
    std::string uuid = hdf5::Reader::open(folder.at(kLinkName)).read_text("uuid");
    if (uuid != secret.uuid) folder.rename(kLinkName, "link-" + uuid + ".h5");
  }
  folder.create(temporary)->close();  // closed to others before it contains anything
  auto file = hdf5::File::create(folder.at(temporary));
  file.write_attribute("format", std::string(kLinkFormat));
  file.write_attribute("version", std::uint64_t{plan.whole_classes ? 3U : plan.photos > 1 ? 2U : 1U});
  file.write_attribute("uuid", secret.uuid);
  file.write_attribute("source_digest", secret.source_digest);
  file.write_attribute("released_digest", released_digest.hex());
  if (plan.whole_classes) {
    write_classes(file, plan);
  } else if (plan.photos == 1) {
    file.write_array("/source_row", plan.source_rows);
    file.write_array("/source_label", label_map(plan, source));
  } else {
    file.write_array("/source_row", plan.source_rows);
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t picture = 0; picture <= plan.pictures(); ++picture)
      offsets.push_back(picture * plan.photos);
    file.write_array("/source_offset", offsets);
  }
  file.flush();
  file.close();
  hdf5::publish(folder, temporary, kLinkName);
}

ReleaseLink read_link(const Path& private_folder, const std::string& released_digest) {
  const Path path = private_folder / kLinkName;
  if (!std::filesystem::exists(path)) {
    throw DataError("there is no " + path.string() +
                    ": the release was not finished, or this is not its private folder");
  }
  for (const auto& entry : std::filesystem::directory_iterator(private_folder)) {
    const std::string name = entry.path().filename();
    if (released_digest.empty() || !name.starts_with("link") || !name.ends_with(".h5")) continue;
    if (auto link = read_link_file(entry.path()); link.released_digest == released_digest) return link;
  }
  return read_link_file(path);
}

std::vector<std::vector<std::int64_t>> people_of_classes(const ReleaseLink& link, const Store& source,
                                                         std::span<const std::int64_t> labels,
                                                         std::int64_t classes) {
  std::vector<std::vector<std::int64_t>> people(static_cast<std::size_t>(classes));
  for (std::uint64_t picture = 0; picture < link.pictures(); ++picture) {
    if (labels[picture] < 0) continue;
    auto& own = people[static_cast<std::size_t>(labels[picture])];
    for (const std::uint64_t row : link.sources_of(picture)) {
      const std::int64_t person = source.label(row);
      if (const auto at = std::lower_bound(own.begin(), own.end(), person); at == own.end() || *at != person)
        own.insert(at, person);
    }
  }
  return people;
}

}  // namespace facemae
