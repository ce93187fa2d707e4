#include "trainer/insiders/several_releases.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/log.h"
#include "data/release/release.h"
#include "data/release/release_originals.h"
#include "evaluation/attacks/intersection.h"
#include "trainer/apply/stored_images.h"

namespace facemae {
namespace {

std::vector<std::uint64_t> every_row(const Store& store) {
  std::vector<std::uint64_t> rows(store.size());
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  return rows;
}

/// Of each row of the store that a release was made of, the row of `real` with the same image, byte for byte; -1 where
/// there is none. The source is `real` itself or one of `sources`.
std::vector<std::int64_t> photos_by_row(const Store& real, const ReleaseLink& links,
                                        const std::string& released,
                                        const std::vector<std::string>& sources) {
  std::vector<std::int64_t> place;
  if (links.source_digest == real.dataset_digest().hex()) {
    place.resize(real.size());
    std::iota(place.begin(), place.end(), std::int64_t{0});
    return place;
  }
  std::map<Hash256, std::int64_t> row_of;
  const auto of_real = originals_of(real, 0, real.size());
  for (std::size_t row = of_real.size(); row > 0; --row)
    row_of[of_real[row - 1]] = static_cast<std::int64_t>(row - 1);
  for (const auto& folder : sources) {
    const auto source = Store::open(folder);
    if (source->dataset_digest().hex() != links.source_digest) continue;
    for (const Hash256& image : originals_of(*source, 0, source->size())) {
      const auto found = row_of.find(image);
      place.push_back(found == row_of.end() ? -1 : found->second);
    }
    return place;
  }
  throw made_of_another(released, real.folder().string(), links);
}

}  // namespace

ReleaseLink link_of_release(const std::string& released, const std::string& link) {
  const std::string digest = Store::open(released)->dataset_digest().hex();
  ReleaseLink links = read_link(link, digest);
  if (links.released_digest != digest)
    throw ConfigError(
        fmt::format("{} has no link of the release {}: its digest is {}, the link there is of {}", link,
                    released, digest, links.released_digest));
  return links;
}

ConfigError made_of_another(const std::string& released, const std::string& real, const ReleaseLink& links) {
  return ConfigError(fmt::format(
      "{} was not made of {}, but of a store with the digest {}: give that store with --also-real, and photos that both "
      "have are compared",
      released, real, links.source_digest));
}

RealFaces photos_of_people(const Store& real) {
  RealFaces faces{.photos = load_images(real, every_row(real)), .people_count = real.identities()};
  for (std::uint64_t row = 0; row < real.size(); ++row) {
    const std::int64_t person = real.label(row);
    faces.people.push_back(person < 0 ? faces.people_count++ : person);
  }
  return faces;
}

LinkedRelease load_release(const Store& real, const RealFaces& photos, const std::string& released,
                           const std::string& link, const std::vector<std::string>& sources) {
  const auto store = Store::open(released);
  const ReleaseLink links = link_of_release(released, link);
  const auto place = photos_by_row(real, links, released, sources);
  LinkedRelease release;
  std::vector<std::uint64_t> kept;
  std::map<std::int64_t, std::set<std::int64_t>> people;  ///< by label; pictures without one come last
  std::vector<std::int64_t> labels;
  for (std::uint64_t row = 0; row < store->size(); ++row) {
    std::vector<std::int64_t> known;
    for (const auto source : links.sources_of(row))
      if (const std::int64_t photo = place.at(source); photo >= 0) known.push_back(photo);
    if (known.empty()) continue;
    const std::int64_t label = store->label(row);
    labels.push_back(label < 0 ? store->identities() + static_cast<std::int64_t>(row) : label);
    for (const std::int64_t photo : known)
      people[labels.back()].insert(photos.people.at(static_cast<std::size_t>(photo)));
    kept.push_back(row);
    release.links.photos_of_picture.push_back(std::move(known));
  }
  if (kept.empty())
    throw ConfigError(fmt::format("{} shows nobody of {}: the two say nothing of one another", released,
                                  real.folder().string()));
  release.faces.pictures = load_images(*store, kept);
  release.faces.class_count = std::ssize(people);
  std::map<std::int64_t, std::int64_t> class_of;
  for (const auto& [label, members] : people) {
    class_of.emplace(label, std::ssize(class_of));
    release.links.people_of_class.emplace_back(members.begin(), members.end());
  }
  for (const std::int64_t label : labels) release.faces.classes.push_back(class_of.at(label));
  return release;
}

std::vector<Measurement> several_releases(const RealFaces& photos, std::span<const LinkedRelease> releases,
                                          std::span<const std::unique_ptr<Attacker>> attackers) {
  if (releases.size() < 2)
    throw ConfigError(
        "A8 compares several releases of the same people: give the others with --also-released, and their private folders with --also-link where they have others");
  std::vector<Measurement> found;
  for (const auto& attacker : attackers) {
    const std::string name = attacker->facts().name;
    std::vector<SeenRelease> seen;
    for (const auto& release : releases)
      seen.push_back({release.faces.classes, release.links, attacker->look(release.faces, photos)});
    for (auto& measurement : measure_releases(seen, photos.people, photos.people_count, name))
      found.push_back(std::move(measurement));
    spdlog::info("A8: {} looked at {} releases", name, releases.size());
  }
  return found;
}

}  // namespace facemae
