#include "trainer/release/audit_target.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "trainer/apply/stored_images.h"

namespace facemae {
namespace {

using RowsOf = std::map<std::int64_t, std::vector<std::uint64_t>>;  ///< by class or person
using PeopleOf = std::map<std::int64_t, std::set<std::int64_t>>;    ///< by class

/// A label, or a number of its own for an image without one.
std::int64_t owner(const Store& store, std::uint64_t row) {
  const std::int64_t label = store.label(row);
  return label < 0 ? -1 - static_cast<std::int64_t>(row) : label;
}

RowsOf rows_by_owner(const Store& store) {
  RowsOf rows;
  for (std::uint64_t row = 0; row < store.size(); ++row) rows[owner(store, row)].push_back(row);
  return rows;
}

std::set<std::int64_t> drawn_classes(const RowsOf& pictures_of, const AuditScope& scope) {
  constexpr std::size_t fewest = 4;  // so that they can be halved
  std::vector<std::int64_t> order;
  for (const auto& [label, rows] : pictures_of) order.push_back(label);
  Draws draws(key_of(scope.seed, Purpose::Audit, 3));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draws.below(i)]);
  std::set<std::int64_t> classes;
  std::uint64_t pictures = 0;
  for (const std::int64_t label : order) {
    pictures += pictures_of.at(label).size();
    if (scope.most_pictures > 0 && pictures > scope.most_pictures && classes.size() >= fewest) break;
    classes.insert(label);
  }
  return classes;
}

/// Of each class at most `most` rows, spread over them.
void thin_out(RowsOf& pictures_of, std::uint64_t most) {
  for (auto& [label, rows] : pictures_of) {
    if (most == 0 || rows.size() <= most) continue;
    std::vector<std::uint64_t> kept;
    for (std::uint64_t i = 0; i < most; ++i) kept.push_back(rows[i * rows.size() / most]);
    rows = std::move(kept);
  }
}

void add_facts(FileFacts& facts, const Store& store, const std::vector<std::uint64_t>& rows) {
  std::vector<std::byte> encoded;
  for (const std::uint64_t row : rows) {
    store.read(row, encoded);
    facts.bytes.push_back(encoded.size());
    facts.header.push_back(header_digest(encoded));
  }
}

std::string name_of_owner(const Store& store, std::int64_t label) {
  return label < 0 ? "" : store.identity_name(label);
}

}  // namespace

void check_link(const Store& real, const Store& released, const ReleaseLink& link, const LinkWords& options) {
  if (link.source_digest != real.dataset_digest().hex())
    throw ConfigError(fmt::format("{} is not the store that was rebuilt: its digest is {}, the link says {}",
                                  options.real, real.dataset_digest().hex(), link.source_digest));
  if (link.released_digest != released.dataset_digest().hex())
    throw ConfigError(fmt::format("{} belongs to another release: its digest is {}, {} has {}", options.link,
                                  link.released_digest, options.released, released.dataset_digest().hex()));
  bool fits = link.pictures() == released.size();
  for (std::uint64_t row = 0; fits && row < link.pictures(); ++row) {
    const auto sources = link.sources_of(row);
    fits = !sources.empty() && std::all_of(sources.begin(), sources.end(),
                                           [&](std::uint64_t source) { return source < real.size(); });
  }
  if (!fits)
    throw DataError(fmt::format(
        "{} has {} pictures, of which some may lead nowhere; {} has {}, {} {}: the link is damaged",
        options.link, link.pictures(), options.released, released.size(), options.real, real.size()));
}

AuditTarget audit_target(const Store& real, const Store& released, const ReleaseLink& link,
                         const Store* distractors, const AuditScope& scope) {
  check_link(real, released, link);
  AuditTarget made;
  Target& target = made.target;
  auto pictures_of = rows_by_owner(released);
  std::set<std::int64_t> ever_released, members;
  PeopleOf people_of_class;
  for (const auto& [label, rows] : pictures_of) {
    auto& people = people_of_class[label];
    for (const std::uint64_t row : rows)
      for (const std::uint64_t source : link.sources_of(row)) people.insert(owner(real, source));
    ever_released.insert(people.begin(), people.end());
  }
  thin_out(pictures_of, scope.most_of_class);
  const auto chosen = drawn_classes(pictures_of, scope);
  std::vector<std::uint64_t> picture_rows;
  std::set<std::uint64_t> originals;
  for (const std::int64_t label : chosen) {
    members.insert(people_of_class.at(label).begin(), people_of_class.at(label).end());
    for (const std::uint64_t row : pictures_of.at(label)) {
      picture_rows.push_back(row);
      originals.insert(link.sources_of(row).begin(), link.sources_of(row).end());
    }
  }
  std::sort(picture_rows.begin(), picture_rows.end());
  // Members first, then strangers of the same store.
  std::map<std::int64_t, std::int64_t> number;
  const auto count_in = [&](std::int64_t person) {
    if (!number.try_emplace(person, target.real.people_count).second) return;
    ++target.real.people_count;
    target.known_as.push_back(person);
    made.real.names.push_back(name_of_owner(real, person));
  };
  for (const std::int64_t person : members) count_in(person);
  target.members = target.real.people_count;
  std::vector<std::uint64_t> photo_rows;
  std::map<std::uint64_t, std::int64_t> photo_of_row;
  for (std::uint64_t row = 0; row < real.size(); ++row) {
    const std::int64_t person = owner(real, row);
    if (scope.originals_alone ? !originals.contains(row)
                              : !members.contains(person) && ever_released.contains(person))
      continue;
    count_in(person);
    photo_of_row[row] = static_cast<std::int64_t>(photo_rows.size());
    photo_rows.push_back(row);
    target.real.people.push_back(number.at(person));
  }
  target.real.photos = load_images(real, photo_rows);
  add_facts(made.real, real, photo_rows);

  for (const std::int64_t label : chosen) {
    target.links.people_of_class.emplace_back();
    for (const std::int64_t person : people_of_class.at(label))
      target.links.people_of_class.back().push_back(number.at(person));
  }
  std::map<std::int64_t, std::int64_t> class_of;
  for (const std::int64_t label : chosen) {
    class_of[label] = static_cast<std::int64_t>(class_of.size());
    made.released.names.push_back(name_of_owner(released, label));
  }
  for (const std::uint64_t row : picture_rows) {
    target.released.classes.push_back(class_of.at(owner(released, row)));
    target.links.photos_of_picture.emplace_back();
    for (const std::uint64_t source : link.sources_of(row))
      target.links.photos_of_picture.back().push_back(photo_of_row.at(source));
    made.blends = made.blends || link.sources_of(row).size() != 1;
  }
  target.released.class_count = static_cast<std::int64_t>(chosen.size());
  target.released.pictures = load_images(released, picture_rows);
  add_facts(made.released, released, picture_rows);

  if (distractors != nullptr) {
    if (distractors->image_size() != real.image_size())
      throw ConfigError("--distractors has pictures of another size than --real");
    std::vector<std::uint64_t> rows;
    std::map<std::int64_t, std::int64_t> stranger;
    for (std::uint64_t row = 0; row < distractors->size(); ++row) {
      const std::int64_t label = owner(*distractors, row);
      const auto [found, is_new] = stranger.try_emplace(label, target.real.people_count);
      if (is_new) {
        ++target.real.people_count;
        // Apart from everybody in --real.
        target.known_as.push_back(label < 0 ? label - static_cast<std::int64_t>(real.size())
                                            : label + real.identities());
        made.real.names.push_back(name_of_owner(*distractors, label));
      }
      rows.push_back(row);
      target.real.people.push_back(found->second);
    }
    target.real.photos = torch::cat({target.real.photos, load_images(*distractors, rows)});
    add_facts(made.real, *distractors, rows);
  }
  check_target(target);
  return made;
}

}  // namespace facemae
