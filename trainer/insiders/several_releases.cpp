#include "trainer/insiders/several_releases.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "data/release/release.h"
#include "evaluation/attacks/intersection.h"
#include "trainer/apply/stored_images.h"

namespace facemae {
namespace {

std::vector<std::uint64_t> every_row(const Store& store) {
  std::vector<std::uint64_t> rows(store.size());
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  return rows;
}

}  // namespace

RealFaces photos_of_people(const Store& real) {
  RealFaces faces{.photos = load_images(real, every_row(real)), .people_count = real.identities()};
  for (std::uint64_t row = 0; row < real.size(); ++row) {
    const std::int64_t person = real.label(row);
    faces.people.push_back(person < 0 ? faces.people_count++ : person);
  }
  return faces;
}

LinkedRelease load_release(const Store& real, const RealFaces& photos, const std::string& released,
                           const std::string& link) {
  const auto store = Store::open(released);
  const ReleaseLink links = read_link(link, store->dataset_digest().hex());
  if (links.released_digest != store->dataset_digest().hex())
    throw ConfigError(
        fmt::format("{} has no link of the release {}: its digest is {}, the link there is of {}", link,
                    released, store->dataset_digest().hex(), links.released_digest));
  if (links.source_digest != real.dataset_digest().hex())
    throw ConfigError(fmt::format("{} was not made of {}: the digest of its source is {}, that store has {}",
                                  released, real.folder().string(), links.source_digest,
                                  real.dataset_digest().hex()));
  LinkedRelease release;
  release.faces.pictures = load_images(*store, every_row(*store));
  release.faces.class_count = store->identities();
  std::vector<std::set<std::int64_t>> people(static_cast<std::size_t>(store->identities()));
  for (std::uint64_t row = 0; row < store->size(); ++row) {
    const std::int64_t label = store->label(row);
    release.faces.classes.push_back(label < 0 ? release.faces.class_count++ : label);
    if (label < 0) people.emplace_back();
    auto& sources = release.links.photos_of_picture.emplace_back();
    for (const auto source : links.sources_of(row)) {
      sources.push_back(static_cast<std::int64_t>(source));
      people[static_cast<std::size_t>(release.faces.classes.back())].insert(photos.people.at(source));
    }
  }
  for (const auto& members : people)
    release.links.people_of_class.emplace_back(members.begin(), members.end());
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
