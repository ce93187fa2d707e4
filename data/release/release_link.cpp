#include "data/release/release_link.h"

#include <algorithm>

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

ReleaseLink read_link_file(const Path& path) {
  const auto file = hdf5::Reader::open(path);
  if (!file.has_attribute("format") || file.read_text("format") != kLinkFormat) {
    throw DataError(path.string() + " is an HDF5 file but not the link of a release");
  }
  ReleaseLink link{.source_digest = file.read_text("source_digest"),
                   .released_digest = file.read_text("released_digest"),
                   .source_rows = file.read_array<std::uint64_t>("/source_row"),
                   .offsets = {}};
  if (!file.has("/source_offset")) return link;
  link.offsets = file.read_array<std::uint64_t>("/source_offset");
  if (link.offsets.empty() || link.offsets.front() != 0 || link.offsets.back() != link.source_rows.size() ||
      !std::is_sorted(link.offsets.begin(), link.offsets.end()))
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
  file.write_attribute("version", std::uint64_t{plan.photos == 1 ? 1U : 2U});
  file.write_attribute("uuid", secret.uuid);
  file.write_attribute("source_digest", secret.source_digest);
  file.write_attribute("released_digest", released_digest.hex());
  file.write_array("/source_row", plan.source_rows);
  if (plan.photos == 1) {
    file.write_array("/source_label", label_map(plan, source));
  } else {
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
