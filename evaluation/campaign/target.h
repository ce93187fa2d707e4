#pragma once
// A release under attack, with the truth that only the audit knows; and the parts of it that attackers learn from, are
// tested on and are controlled with.
#include <array>
#include <cstdint>
#include <vector>

#include "evaluation/attacks/attacker.h"

namespace facemae {

struct Target {
  ReleasedFaces released;
  RealFaces real;   ///< people 0 .. members - 1 are in the release, the others never were
  FaceLinks links;  ///< a picture without photos is of nobody known
  std::int64_t members = 0;
  std::vector<std::int64_t>
      known_as;  ///< [people_count] the person in a Tally: stays when people are numbered anew

  /// Who learns from it gets its members only.
  Lesson lesson() const;
};

/// Throws ConfigError or DataError when lists and tensors disagree, or a link leads nowhere.
void check_target(const Target& target);
/// For each person, the classes that hold it.
std::vector<std::vector<std::int64_t>> classes_of_people(const Target& target);
/// [people_count] of each person the first one of their (first) class; of those in none, themselves. People of one class
/// are found or missed together (Tally::with).
std::vector<std::size_t> first_of_class(const Target& target);

/// Only these classes, with their pictures, people and all photos of these; those who were never released stay if
/// `strangers`. Order stays, numbers close up.
Target of_classes(const Target& all, const std::vector<std::int64_t>& classes, bool strangers);
/// The classes in two halves by a seed. Classes that share a person stay together, so no person is in both. Throws
/// ConfigError when fewer than two classes, or all of them tied together, leave a half empty.
std::array<std::vector<std::int64_t>, 2> halves(const Target& target, std::uint64_t seed);
/// The first `pairs` released pictures of whole classes in the order of a seed, each with its photos; at most half of them
/// of one class; all with 0.
Lesson some_pairs(const Lesson& lesson, std::int64_t pairs, std::uint64_t seed);

/// A release in which the pictures of some classes are the very photos of the class's first person: who does not find
/// these finds nothing.
struct Planted {
  Target target;
  std::vector<bool> people;  ///< [people_count] whose photos were planted
};
Planted plant(const Target& target, std::int64_t classes, std::uint64_t seed);
/// A release of real photos: every second photo of a person is a picture, the others are the gallery. People with a
/// single photo are left out; without pictures when nobody has two.
Target other_photos(const Target& target);

}  // namespace facemae
