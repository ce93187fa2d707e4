#include "data/release/blend.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr const char* kPeople = "people:";

std::uint64_t people_in(const std::string& text) {
  if (text == "photos") return 1;
  std::uint64_t people = 0;
  const char* end = text.data() + text.size();
  if (text.starts_with(kPeople)) {
    const auto [stop, fault] = std::from_chars(text.data() + std::string(kPeople).size(), end, people);
    if (fault == std::errc() && stop == end && people >= 1) return people;
  }
  throw ConfigError("--blend " + text +
                    ": give people:K with the number of people in each class, as people:4, or photos");
}

}  // namespace

Blend blend_from(const std::string& text, std::uint64_t images, std::uint64_t min_people) {
  const Blend blend{.people = people_in(text), .images = images, .min_people = min_people};
  if (images < 1 || images % blend.people != 0)
    throw ConfigError(fmt::format(
        "--blend {} --blend-images {}: every person gives as many photos to a picture, so {} must be a multiple of {}",
        text, images, images, blend.people));
  if (min_people < 1 || min_people > blend.people)
    throw ConfigError(fmt::format("--blend {} --blend-min-people {}: a class has {} people; give 1 to {}",
                                  text, min_people, blend.people, blend.people));
  return blend;
}

std::string name_of(const Blend& blend) {
  return blend.people == 1 ? "photos" : kPeople + std::to_string(blend.people);
}

std::vector<std::uint64_t> deal_photos(const std::vector<std::uint64_t>& photos, std::uint64_t each,
                                       std::uint64_t pictures, const SecretKey& key) {
  if (photos.size() < each)
    throw Error(fmt::format("dealing {} of {} photos to a picture of a blend", each, photos.size()));
  std::vector<std::uint64_t> dealt, deck;
  dealt.reserve(each * pictures);
  std::size_t next = 0;
  std::uint64_t decks = 0;
  for (std::uint64_t picture = 0; picture < pictures; ++picture) {
    const auto first = static_cast<std::ptrdiff_t>(dealt.size());
    for (std::uint64_t i = 0; i < each; ++i) {
      if (next == deck.size()) {
        const auto order = secret_order(photos.size(), derive(key, "", std::as_bytes(std::span(&decks, 1))));
        deck.clear();
        for (const std::uint64_t at : order) deck.push_back(photos[at]);
        // What this picture has already comes last.
        std::stable_partition(deck.begin(), deck.end(), [&](std::uint64_t row) {
          return std::find(dealt.begin() + first, dealt.end(), row) == dealt.end();
        });
        next = 0;
        ++decks;
      }
      dealt.push_back(deck[next++]);
    }
  }
  return dealt;
}

}  // namespace facemae
