#include "evaluation/campaign/measure.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/linkage/linkage.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

std::int64_t people_per_class(const Target& target) {
  std::size_t fewest = target.links.people_of_class.front().size();
  for (const auto& people : target.links.people_of_class) fewest = std::min(fewest, people.size());
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(fewest));
}

torch::Tensor finite(torch::Tensor numbers, const std::string& attacker) {
  numbers = numbers.to(torch::kCPU, torch::kFloat32).contiguous();
  if (numbers.isfinite().all().item<bool>()) return numbers;
  spdlog::warn(
      "{}: not all of its numbers are finite; they count as 0, and its controls tell what that is worth",
      attacker);
  return numbers.nan_to_num(0, 0, 0);
}

}  // namespace

void Tallies::add(const AttackerFacts& facts, const Search& search, const Target& target,
                  const std::string& pairs, const std::string& control, const std::vector<bool>& only,
                  double weight) {
  std::vector<Standing> standings;
  for (std::size_t i = 0; i < search.right.size(); ++i)
    standings.push_back(standing_of(search.scores[static_cast<std::int64_t>(i)], search.right[i]));
  add(facts, search.level, search.way, standings, search.person, target, pairs, control, only, weight);
}

void Tallies::add(const AttackerFacts& facts, Level level, const std::string& way,
                  const std::vector<Standing>& standings, const std::vector<std::int64_t>& person,
                  const Target& target, const std::string& pairs, const std::string& control,
                  const std::vector<bool>& only, double weight) {
  const std::string attacker = way.empty() ? facts.name : facts.name + ", " + way;
  auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Measurement& m) {
    return m.attack == facts.id && m.attacker == attacker && m.level == level && m.control == control &&
           m.pairs == pairs;
  });
  if (row == rows_.end())
    row = rows_.insert(row, {.attack = facts.id,
                             .attacker = attacker,
                             .level = level,
                             .control = control,
                             .pairs = pairs,
                             .people_per_class = people_per_class(target)});
  row->people_per_class = std::min(row->people_per_class, people_per_class(target));
  const auto first = first_of_class(target);
  std::map<std::int64_t, std::size_t> place;
  for (std::size_t t = 0; t < row->tallies.size(); ++t) place[row->tallies[t].person] = t;
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const Standing& standing = standings[i];
    const auto p = static_cast<std::size_t>(person[i]);
    if (standing.mates == 0 || (!only.empty() && !only[p])) continue;
    const auto [found, is_new] = place.try_emplace(target.known_as[p], row->tallies.size());
    if (is_new) row->tallies.push_back({.person = target.known_as[p], .with = target.known_as[first[p]]});
    row->tallies[found->second].hits += weight * standing.hit_at(1);
    row->tallies[found->second].trials += weight;
    row->chance +=
        weight * static_cast<double>(standing.mates) / static_cast<double>(standing.mates + standing.others);
  }
}

std::vector<Measurement> Tallies::measurements() const {
  std::vector<Measurement> all = rows_;
  for (Measurement& row : all) {
    double tried = 0;
    for (const Tally& tally : row.tallies) tried += tally.trials;
    row.found = interval_by_person(row.tallies);
    row.chance = tried > 0 ? row.chance / tried : row.chance;
  }
  std::erase_if(all, [](const Measurement& row) { return row.tallies.empty(); });
  return all;
}

std::vector<Standing> own_pictures(const Evidence& evidence, const Target& target) {
  const auto& photos = target.links.photos_of_picture;
  if (evidence.by_person.defined() ||
      std::any_of(photos.begin(), photos.end(), [](const auto& list) { return list.size() != 1; }))
    return {};
  LinkageInput linkage{.probes = evidence.released,
                       .gallery = evidence.real,
                       .gallery_identity = target.real.people,
                       .gallery_picture = equal_pictures(target.real.photos)};
  for (const auto& photo : photos) {
    linkage.mate.push_back(photo.front());
    linkage.probe_identity.push_back(target.real.people[static_cast<std::size_t>(photo.front())]);
  }
  return rank_mates(linkage).same_image;
}

namespace {

/// Finite and of the right size, or ConfigError.
Evidence checked(const Evidence& seen, const Attacker& attacker, const Target& target) {
  const std::string name = attacker.facts().id + " (" + attacker.facts().name + ")";
  const auto is = [](const torch::Tensor& t, std::int64_t rows, std::int64_t columns) {
    return t.defined() && t.dim() == 2 && t.size(0) == rows && (columns < 0 || t.size(1) == columns);
  };
  const std::int64_t pictures = target.released.pictures.size(0), photos = target.real.photos.size(0);
  if (seen.by_person.defined()) {
    if (!is(seen.by_person, pictures, target.real.people_count))
      throw ConfigError(fmt::format("attacker {} gave evidence that is not of {} pictures and {} people",
                                    name, pictures, target.real.people_count));
    return {.by_person = finite(seen.by_person, name)};
  }
  if (!is(seen.released, pictures, -1) || !is(seen.real, photos, seen.released.size(1)))
    throw ConfigError(
        fmt::format("attacker {} gave features that are not of {} pictures and {} photos, or of two widths",
                    name, pictures, photos));
  return {.released = finite(seen.released, name), .real = finite(seen.real, name)};
}

}  // namespace

Evidence evidence_of(Attacker& attacker, const Target& target) {
  const torch::NoGradGuard no_gradients;
  return checked(attacker.look(target.released, target.real), attacker, target);
}

Evidence evidence_of_photos(Attacker& attacker, const Target& target) {
  const torch::NoGradGuard no_gradients;
  return checked(attacker.look_at_photos(target.released, target.real), attacker, target);
}

std::vector<Measurement> measure(Attacker& attacker, const Target& target, const std::string& pairs) {
  check_target(target);
  const Evidence evidence = evidence_of(attacker, target);
  Tallies tallies;
  std::vector<std::int64_t> person;
  for (const Search& search : searches_of(evidence, target)) {
    if (search.level == Level::PictureToPerson) person = search.person;
    tallies.add(attacker.facts(), search, target, pairs);
  }
  if (const auto own = own_pictures(evidence, target); !own.empty())
    tallies.add(attacker.facts(), Level::OwnPicture, "", own, person, target, pairs);
  return tallies.measurements();
}

}  // namespace facemae
