#pragma once
// What must be found, and what must not: an attack whose controls fail has proved nothing, whatever it found.
#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/campaign/measure.h"

namespace facemae {

struct ControlResult {
  std::string attack, attacker;
  std::string control;  ///< "planted", "real_other_photo", "shuffled_links", "nonmembers"
  bool positive = true;
  Figure found;
  double limit =
      0;  ///< of a positive one what must be found; of a negative one chance, which the interval covers
  bool works = false;
};

/// Names in Measurement::control.
inline constexpr const char* kPlanted = "planted";
inline constexpr const char* kOtherPhoto = "real_other_photo";
inline constexpr const char* kShuffled = "shuffled_links";
inline constexpr const char* kNonmembers = "nonmembers";
inline constexpr double kPlantedLimit = 0.95, kOtherPhotoLimit = 0.5;
/// The interval of more than 58 people of whom all are found lies above 95 %.
inline constexpr std::int64_t kPlantedClasses = 60;

/// Counts the controls of an attacker that has learnt; one call per fold, all into `tallies`. Positive: planted
/// copies, in at most `planted_classes` and at most half of the classes; for embedders, other photos. Negative: the
/// truth of the searches shuffled 20 times over people, and people who were never released, each of whom gets a
/// random class 20 times. `searches` are those of the attacker on the target itself.
void count_controls(Attacker& attacker, const Target& target, const std::vector<Search>& searches,
                    std::int64_t planted_classes, std::uint64_t seed, Tallies& tallies);

/// One verdict per attacker and control. A positive control is the best of its levels and ways, a negative one the
/// worst: that farthest from chance. `controls` are the measurements of one attacker.
std::vector<ControlResult> verdicts(const AttackerFacts& facts, const std::vector<Measurement>& controls);

}  // namespace facemae
