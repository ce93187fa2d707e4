#pragma once
// A blend: whose photos a released picture is made of. With several people it is k-Same (Newton, Sweeney and Malin 2005)
// over disjoint groups of people, whose tokens trainer/rebuild/blend_rows.h averages. docs/METHOD.md, "People blend".
#include <cstdint>
#include <string>
#include <vector>

#include "core/random/secret.h"

namespace facemae {

struct Blend {
  std::uint64_t people = 1;      ///< K, of each class; 1: a person's own photos
  std::uint64_t images = 16;     ///< M, photos in each picture: images / people of each person
  std::uint64_t min_people = 1;  ///< Q, people of whom a patch needs a token; or else it is hidden
  std::uint64_t photos_each() const { return images / people; }
  bool operator==(const Blend&) const = default;
};
/// `text` is "people:K" or "photos". Throws ConfigError unless K divides the images and Q is 1 to K.
Blend blend_from(const std::string& text, std::uint64_t images, std::uint64_t min_people);
std::string name_of(const Blend& blend);  ///< "people:4", "photos"

/// The source rows of the photos of each person of a class.
using BlendGroup = std::vector<std::vector<std::uint64_t>>;

/// The rows of `each` photos for each of `pictures` pictures, one picture after the other. A picture has a photo once.
/// The photos are dealt from decks of all of them that the key shuffles anew, so that the numbers of their uses
/// differ by one at most. Needs at least `each` photos.
std::vector<std::uint64_t> deal_photos(const std::vector<std::uint64_t>& photos, std::uint64_t each,
                                       std::uint64_t pictures, const SecretKey& key);

}  // namespace facemae
