#include "trainer/attacks/lesson_pairs.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "core/checksum.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

void add_pictures(Hasher& hasher, const torch::Tensor& pictures) {
  const auto whole = pictures.contiguous();
  for (const auto size : whole.sizes()) hasher.add_value(size);
  hasher.add({static_cast<const std::byte*>(whole.const_data_ptr()), whole.nbytes()});
}

void add_numbers(Hasher& hasher, const std::vector<std::int64_t>& numbers) {
  hasher.add_value(numbers.size());
  hasher.add(bytes_of(std::span(numbers)));
}

void add_released(Hasher& hasher, const ReleasedFaces& released) {
  add_pictures(hasher, released.pictures);
  add_numbers(hasher, released.classes);
}

}  // namespace

LessonPairs::LessonPairs(const Lesson& lesson, Right right)
    : lesson_(lesson), right_(right), photos_of_person_(static_cast<std::size_t>(lesson.real.people_count)) {
  const auto& people = lesson.real.people;
  for (std::size_t photo = 0; photo < people.size(); ++photo)
    if (people[photo] >= 0)
      photos_of_person_[static_cast<std::size_t>(people[photo])].push_back(static_cast<std::int64_t>(photo));
  for (std::size_t picture = 0; picture < lesson.released.classes.size(); ++picture) {
    std::vector<std::int64_t> names;
    if (right == Right::Photo) {
      names = lesson.links.photos_of_picture[picture];
    } else {
      names = lesson.links.people_of_class[static_cast<std::size_t>(lesson.released.classes[picture])];
      std::erase_if(names, [&](std::int64_t person) {
        return photos_of_person_[static_cast<std::size_t>(person)].empty();
      });
    }
    if (names.empty())
      throw DataError(fmt::format(
          "preparing an attacker's lesson: released picture {} has no {} among the attacker's: the link is not that of this release",
          picture, right == Right::Photo ? "photo that it was made of" : "person with a photo"));
    names_of_picture_.push_back(std::move(names));
  }
}

std::int64_t LessonPairs::photo_of(std::int64_t picture, std::uint64_t key) const {
  Draws draws(key);
  const auto& names = names_of_picture_[static_cast<std::size_t>(picture)];
  const std::int64_t name = names[draws.below(names.size())];
  if (right_ == Right::Photo) return name;
  const auto& photos = photos_of_person_[static_cast<std::size_t>(name)];
  return photos[draws.below(photos.size())];
}

std::int64_t LessonPairs::other_photo(std::int64_t picture, std::uint64_t key) const {
  const auto& people = lesson_.real.people;
  const auto inside = lesson_.links.people_of_class[static_cast<std::size_t>(
      lesson_.released.classes[static_cast<std::size_t>(picture)])];
  const std::size_t from = Draws(key).below(people.size());
  for (std::size_t tried = 0; tried < people.size(); ++tried) {
    const std::size_t photo = (from + tried) % people.size();
    if (std::find(inside.begin(), inside.end(), people[photo]) == inside.end())
      return static_cast<std::int64_t>(photo);
  }
  throw DataError(
      "preparing an attacker's lesson: it has photos of the people of one class only, so nobody to tell them from: give the attacker more people");
}

torch::Tensor LessonPairs::right() const {
  std::size_t most = 0;
  for (const auto& names : names_of_picture_) most = std::max(most, names.size());
  auto table =
      torch::full({static_cast<std::int64_t>(names_of_picture_.size()), static_cast<std::int64_t>(most)}, -1,
                  torch::kInt64);
  auto* out = table.data_ptr<std::int64_t>();
  for (std::size_t picture = 0; picture < names_of_picture_.size(); ++picture)
    std::copy(names_of_picture_[picture].begin(), names_of_picture_[picture].end(), out + picture * most);
  return table;
}

torch::Tensor LessonPairs::names() const {
  if (right_ == Right::Person) return torch::tensor(lesson_.real.people, torch::kInt64);
  return torch::arange(static_cast<std::int64_t>(lesson_.real.people.size()), torch::kInt64);
}

std::string digest_of(const ReleasedFaces& released) {
  Hasher hasher;
  add_released(hasher, released);
  return hasher.digest().hex();
}

std::string digest_of(const Lesson& lesson) {
  Hasher hasher;
  add_released(hasher, lesson.released);
  add_pictures(hasher, lesson.real.photos);
  add_numbers(hasher, lesson.real.people);
  for (const auto& photos : lesson.links.photos_of_picture) add_numbers(hasher, photos);
  for (const auto& people : lesson.links.people_of_class) add_numbers(hasher, people);
  return hasher.digest().hex();
}

}  // namespace facemae
