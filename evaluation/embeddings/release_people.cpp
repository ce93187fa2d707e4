#include "evaluation/embeddings/release_people.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

NumberLists inverse_of(const NumberLists& lists, std::int64_t count) {
  NumberLists inverse;
  inverse.begin.assign(static_cast<std::size_t>(count) + 1, 0);
  for (const std::int64_t number : lists.numbers) ++inverse.begin[static_cast<std::size_t>(number) + 1];
  for (std::size_t i = 1; i < inverse.begin.size(); ++i) inverse.begin[i] += inverse.begin[i - 1];
  inverse.numbers.resize(lists.numbers.size());
  std::vector<std::int64_t> next(inverse.begin.begin(), inverse.begin.end() - 1);
  for (std::int64_t i = 0; i < lists.size(); ++i)
    for (const std::int64_t number : lists[i])
      inverse.numbers[static_cast<std::size_t>(next[static_cast<std::size_t>(number)]++)] = i;
  return inverse;
}

void complete(ReleasePeople& all) {
  const auto photos = static_cast<std::int64_t>(all.person_of_photo.size());
  NumberLists person_of_photo;
  for (const std::int64_t person : all.person_of_photo)
    person_of_photo.add(person < 0 ? std::span<const std::int64_t>() : std::span(&person, 1));
  all.photos_of_person = inverse_of(person_of_photo, all.people);

  std::vector<std::set<std::int64_t>> people_of_class(static_cast<std::size_t>(all.classes));
  all.people_of_picture = {};
  std::vector<std::int64_t> people;
  for (std::int64_t picture = 0; picture < all.photos_of_picture.size(); ++picture) {
    people.clear();
    for (const std::int64_t photo : all.photos_of_picture[picture]) {
      if (photo < 0 || photo >= photos)
        throw DataError(fmt::format(
            "the link names real picture {}, but there are {}: is it the link file of this release?", photo,
            photos));
      const std::int64_t person = all.person_of_photo[static_cast<std::size_t>(photo)];
      if (person >= 0) people.push_back(person);
    }
    std::sort(people.begin(), people.end());
    people.erase(std::unique(people.begin(), people.end()), people.end());
    all.people_of_picture.add(people);
    const std::int64_t label = all.class_of_picture[static_cast<std::size_t>(picture)];
    if (label >= 0) people_of_class[static_cast<std::size_t>(label)].insert(people.begin(), people.end());
  }
  all.people_of_class = {};
  all.most_people_of_class = 1;
  for (const auto& of_class : people_of_class) {
    all.people_of_class.add(std::vector(of_class.begin(), of_class.end()));
    all.most_people_of_class = std::max(all.most_people_of_class, static_cast<std::int64_t>(of_class.size()));
  }
  all.classes_of_person = inverse_of(all.people_of_class, all.people);
}

}  // namespace facemae
