#include "evaluation/campaign/target.h"

#include <torch/torch.h>

#include <algorithm>
#include <boost/pending/disjoint_sets.hpp>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

enum Stage : std::uint64_t { Halves = 1, Pairs = 2, Plants = 3 };

torch::Tensor rows_where(const torch::Tensor& pictures, const std::vector<std::int64_t>& rows) {
  return pictures.index_select(0, torch::tensor(rows, torch::kInt64));
}

std::vector<std::int64_t> counted(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t key) {
  auto numbers = counted(count);
  Draws draws(key);
  for (std::size_t i = numbers.size(); i > 1; --i) std::swap(numbers[i - 1], numbers[draws.below(i)]);
  return numbers;
}

/// New numbers of what is kept; -1 for the rest.
std::vector<std::int64_t> close_up(const std::vector<bool>& kept) {
  std::vector<std::int64_t> number(kept.size(), -1);
  std::int64_t next = 0;
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i]) number[i] = next++;
  return number;
}

std::vector<std::int64_t> renumbered(const std::vector<std::int64_t>& old,
                                     const std::vector<std::int64_t>& number) {
  std::vector<std::int64_t> now;
  for (const std::int64_t i : old)
    if (number[static_cast<std::size_t>(i)] >= 0) now.push_back(number[static_cast<std::size_t>(i)]);
  return now;
}

Target keep(const Target& all, const std::vector<bool>& classes, const std::vector<bool>& pictures,
            const std::vector<bool>& people, const std::vector<bool>& photos) {
  const auto new_class = close_up(classes), new_person = close_up(people), new_photo = close_up(photos);
  Target part;
  std::vector<std::int64_t> picture_rows, photo_rows;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (!pictures[i]) continue;
    picture_rows.push_back(static_cast<std::int64_t>(i));
    part.released.classes.push_back(new_class[static_cast<std::size_t>(all.released.classes[i])]);
    part.links.photos_of_picture.push_back(renumbered(all.links.photos_of_picture[i], new_photo));
  }
  for (std::size_t j = 0; j < photos.size(); ++j) {
    if (!photos[j]) continue;
    photo_rows.push_back(static_cast<std::int64_t>(j));
    part.real.people.push_back(new_person[static_cast<std::size_t>(all.real.people[j])]);
  }
  for (std::size_t c = 0; c < classes.size(); ++c)
    if (classes[c])
      part.links.people_of_class.push_back(renumbered(all.links.people_of_class[c], new_person));
  for (std::size_t p = 0; p < people.size(); ++p) {
    if (!people[p]) continue;
    part.known_as.push_back(all.known_as[p]);
    part.members += static_cast<std::int64_t>(p) < all.members ? 1 : 0;
  }
  part.released.pictures = rows_where(all.released.pictures, picture_rows);
  part.real.photos = rows_where(all.real.photos, photo_rows);
  part.released.class_count = static_cast<std::int64_t>(part.links.people_of_class.size());
  part.real.people_count = static_cast<std::int64_t>(part.known_as.size());
  return part;
}

}  // namespace

Lesson Target::lesson() const {
  const Target known =
      members == real.people_count ? *this : of_classes(*this, counted(released.class_count), false);
  return {known.released, known.real, known.links};
}

void check_target(const Target& target) {
  const auto pictures = [](const torch::Tensor& t) { return t.defined() && t.dim() == 4 ? t.size(0) : -1; };
  const auto sized = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  if (pictures(target.released.pictures) < 1 || pictures(target.real.photos) < 1 ||
      sized(target.released.classes) != pictures(target.released.pictures) ||
      sized(target.links.photos_of_picture) != pictures(target.released.pictures) ||
      sized(target.links.people_of_class) != target.released.class_count ||
      sized(target.real.people) != pictures(target.real.photos) ||
      sized(target.known_as) != target.real.people_count || target.members < 1 ||
      target.members > target.real.people_count ||
      target.released.pictures.sizes().slice(1) != target.real.photos.sizes().slice(1))
    throw ConfigError(fmt::format(
        "attacking a release of {} pictures against {} photos of {} people: pictures, labels and links are not of one release, or of two sizes",
        pictures(target.released.pictures), pictures(target.real.photos), target.real.people_count));
  const auto within = [](const std::vector<std::int64_t>& list, std::int64_t end) {
    return std::all_of(list.begin(), list.end(), [&](std::int64_t i) { return i >= 0 && i < end; });
  };
  bool fine = within(target.released.classes, target.released.class_count) &&
              within(target.real.people, target.real.people_count);
  for (const auto& photos : target.links.photos_of_picture)
    fine = fine && within(photos, sized(target.real.people));
  for (const auto& people : target.links.people_of_class) fine = fine && within(people, target.members);
  if (!fine)
    throw DataError(
        "attacking a release: a link leads to a class, photo or person that does not exist: is it the link file of this release?");
}

std::vector<std::vector<std::int64_t>> classes_of_people(const Target& target) {
  std::vector<std::vector<std::int64_t>> classes(static_cast<std::size_t>(target.real.people_count));
  for (std::size_t c = 0; c < target.links.people_of_class.size(); ++c)
    for (const std::int64_t person : target.links.people_of_class[c])
      classes[static_cast<std::size_t>(person)].push_back(static_cast<std::int64_t>(c));
  return classes;
}

std::vector<std::size_t> first_of_class(const Target& target) {
  std::vector<std::size_t> first(static_cast<std::size_t>(target.real.people_count));
  std::iota(first.begin(), first.end(), std::size_t{0});
  const auto& classes = target.links.people_of_class;
  for (auto people = classes.rbegin(); people != classes.rend(); ++people)
    for (const std::int64_t person : *people)
      first[static_cast<std::size_t>(person)] = static_cast<std::size_t>(people->front());
  return first;
}

Target of_classes(const Target& all, const std::vector<std::int64_t>& classes, bool strangers) {
  std::vector<bool> class_kept(static_cast<std::size_t>(all.released.class_count));
  std::vector<bool> people(static_cast<std::size_t>(all.real.people_count)), pictures, photos;
  for (const std::int64_t c : classes) {
    class_kept[static_cast<std::size_t>(c)] = true;
    for (const std::int64_t person : all.links.people_of_class[static_cast<std::size_t>(c)])
      people[static_cast<std::size_t>(person)] = true;
  }
  for (std::size_t p = static_cast<std::size_t>(all.members); p < people.size(); ++p) people[p] = strangers;
  for (const std::int64_t c : all.released.classes)
    pictures.push_back(class_kept[static_cast<std::size_t>(c)]);
  for (const std::int64_t person : all.real.people)
    photos.push_back(people[static_cast<std::size_t>(person)]);
  return keep(all, class_kept, pictures, people, photos);
}

std::array<std::vector<std::int64_t>, 2> halves(const Target& target, std::uint64_t seed) {
  const auto count = static_cast<std::size_t>(target.released.class_count);
  std::vector<std::size_t> rank(count), parent(count);
  boost::disjoint_sets tied(rank.data(), parent.data());
  for (std::size_t c = 0; c < count; ++c) tied.make_set(c);
  for (const auto& classes : classes_of_people(target))
    for (const std::int64_t c : classes)
      tied.union_set(static_cast<std::size_t>(classes.front()), static_cast<std::size_t>(c));
  std::map<std::size_t, std::vector<std::int64_t>> tied_classes;
  for (std::size_t c = 0; c < count; ++c)
    tied_classes[tied.find_set(c)].push_back(static_cast<std::int64_t>(c));
  std::vector<std::vector<std::int64_t>> groups;
  for (auto& [root, classes] : tied_classes) groups.push_back(std::move(classes));
  std::vector<std::vector<std::int64_t>> drawn;
  for (const std::int64_t g :
       shuffled(static_cast<std::int64_t>(groups.size()), key_of(seed, Purpose::Folds, Halves)))
    drawn.push_back(groups[static_cast<std::size_t>(g)]);
  std::stable_sort(drawn.begin(), drawn.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::array<std::vector<std::int64_t>, 2> parts;
  for (const auto& classes : drawn) {
    auto& smaller = parts[0].size() <= parts[1].size() ? parts[0] : parts[1];
    smaller.insert(smaller.end(), classes.begin(), classes.end());
  }
  for (auto& part : parts) {
    if (part.empty())
      throw ConfigError(fmt::format(
          "halving a release of {} classes so that attackers learn from one half: no two halves share no person; "
          "give people of the attacker's own (--attacker-store, --attacker-released, --attacker-link)",
          count));
    std::sort(part.begin(), part.end());
  }
  return parts;
}

Lesson some_pairs(const Lesson& lesson, std::int64_t pairs, std::uint64_t seed) {
  const auto count = static_cast<std::int64_t>(lesson.released.classes.size());
  if (pairs == 0 || pairs >= count) return lesson;
  const auto order = shuffled(lesson.released.class_count, key_of(seed, Purpose::Folds, Pairs));
  std::vector<std::vector<std::size_t>> pictures_of(order.size());
  for (std::size_t i = 0; i < lesson.released.classes.size(); ++i)
    pictures_of[static_cast<std::size_t>(lesson.released.classes[i])].push_back(i);
  std::vector<bool> classes(order.size()), pictures(static_cast<std::size_t>(count));
  std::vector<bool> photos(lesson.real.people.size()),
      people(static_cast<std::size_t>(lesson.real.people_count));
  std::int64_t taken = 0;
  // Of two classes at least, or nothing tells them apart.
  const std::int64_t of_one = std::max<std::int64_t>(1, pairs / 2);
  for (const std::int64_t c : order) {
    const std::int64_t before = taken;
    for (const std::size_t i : pictures_of[static_cast<std::size_t>(c)]) {
      if (taken == pairs || taken - before == of_one) break;
      ++taken;
      classes[static_cast<std::size_t>(c)] = pictures[i] = true;
      for (const std::int64_t photo : lesson.links.photos_of_picture[i]) {
        photos[static_cast<std::size_t>(photo)] = true;
        people[static_cast<std::size_t>(lesson.real.people[static_cast<std::size_t>(photo)])] = true;
      }
    }
  }
  const Target all{lesson.released, lesson.real, lesson.links, lesson.real.people_count,
                   counted(lesson.real.people_count)};
  const Target part = keep(all, classes, pictures, people, photos);
  return {part.released, part.real, part.links};
}

Planted plant(const Target& target, std::int64_t classes, std::uint64_t seed) {
  Planted planted{target, std::vector<bool>(static_cast<std::size_t>(target.real.people_count))};
  const auto order = shuffled(target.released.class_count, key_of(seed, Purpose::Folds, Plants));
  std::vector<bool> chosen(order.size());
  for (std::size_t c = 0; c < std::min(order.size(), static_cast<std::size_t>(classes)); ++c)
    chosen[static_cast<std::size_t>(order[c])] = true;
  std::vector<std::vector<std::int64_t>> photos_of(static_cast<std::size_t>(target.real.people_count));
  for (std::size_t j = 0; j < target.real.people.size(); ++j)
    photos_of[static_cast<std::size_t>(target.real.people[j])].push_back(static_cast<std::int64_t>(j));
  std::vector<std::size_t> used(order.size());
  auto& pictures = planted.target.released.pictures;
  pictures = pictures.clone();
  for (std::size_t i = 0; i < target.released.classes.size(); ++i) {
    const auto c = static_cast<std::size_t>(target.released.classes[i]);
    if (!chosen[c] || target.links.people_of_class[c].empty()) continue;
    const auto person = static_cast<std::size_t>(target.links.people_of_class[c].front());
    const std::int64_t photo = photos_of[person][used[c]++ % photos_of[person].size()];
    planted.people[person] = true;
    planted.target.links.photos_of_picture[i] = {photo};
    pictures[static_cast<std::int64_t>(i)].copy_(target.real.photos[photo]);
  }
  return planted;
}

Target other_photos(const Target& target) {
  const auto people = static_cast<std::size_t>(target.real.people_count);
  std::vector<std::int64_t> photos_of(people), seen(people), released_rows, gallery_rows;
  for (const std::int64_t person : target.real.people) ++photos_of[static_cast<std::size_t>(person)];
  Target part;
  part.members = target.members;
  part.known_as = target.known_as;
  part.real.people_count = target.real.people_count;
  part.released.class_count = target.members;
  for (std::int64_t p = 0; p < target.members; ++p) part.links.people_of_class.push_back({p});
  std::vector<std::vector<std::int64_t>> gallery_of(people);
  for (std::size_t j = 0; j < target.real.people.size(); ++j) {
    const std::int64_t person = target.real.people[j];
    const auto p = static_cast<std::size_t>(person);
    const bool shown = person < target.members && photos_of[p] > 1 && seen[p]++ % 2 == 1;
    if (shown) {
      released_rows.push_back(static_cast<std::int64_t>(j));
      part.released.classes.push_back(person);
    } else {
      gallery_of[p].push_back(static_cast<std::int64_t>(gallery_rows.size()));
      gallery_rows.push_back(static_cast<std::int64_t>(j));
      part.real.people.push_back(person);
    }
  }
  for (const std::int64_t person : part.released.classes)
    part.links.photos_of_picture.push_back(gallery_of[static_cast<std::size_t>(person)]);
  part.released.pictures = rows_where(target.real.photos, released_rows);
  part.real.photos = rows_where(target.real.photos, gallery_rows);
  return part;
}

}  // namespace facemae
