#pragma once
// What must be found, and what must not: an attack whose controls fail has proved nothing, whatever it found.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "evaluation/campaign/measure.h"

namespace facemae {

struct ControlResult {
  std::string attack, attacker;
  std::string control;  ///< "planted", "real_other_photo", "plain_0.5", "shuffled_links", "nonmembers"
  bool positive = true;
  Figure found;
  double limit =
      0;  ///< of a positive one what must be found; of a negative one chance, which the interval covers
  bool works = false;
};

/// Names in Measurement::control.
inline constexpr const char* kPlanted = "planted";
inline constexpr const char* kOtherPhoto = "real_other_photo";
inline constexpr const char* kPlain = "plain_0.5";
inline constexpr const char* kShuffled = "shuffled_links";
inline constexpr const char* kNonmembers = "nonmembers";
inline constexpr double kPlantedLimit = 0.95, kPlainLimit = 0.9;
/// The interval of more than 58 people of whom all are found lies above 95 %.
inline constexpr std::int64_t kPlantedClasses = 60;

/// Counts the controls of an attacker that has learnt; one call per fold, all into `tallies`. Positive: planted
/// copies, in at most `planted_classes` and at most half of the classes; for embedders, other photos. Negative: the
/// truth of the searches shuffled 20 times over people, and people who were never released, each of whom gets a
/// random class 20 times. `searches` are those of the attacker on the target itself. `see_planted` is shown the searches
/// for planted people, too.
void count_controls(Attacker& attacker, const Target& target, const std::vector<Search>& searches,
                    std::int64_t planted_classes, std::uint64_t seed, Tallies& tallies,
                    const std::function<void(const Search&, const Planted&)>& see_planted);

/// Positive, too: a release that hides little, one picture for each photo, made by the same FaceMAE at mask ratio 0.5. An
/// attacker who learns does so anew, on one half of it and then on the other: what it knew is forgotten.
void count_on_plain(Attacker& attacker, const Target& plain, std::uint64_t seed, Tallies& tallies);
/// Those that are tried on it: they take seconds.
bool tried_on_plain(const AttackerFacts& facts);

/// Adds a result of an attacker to those of its other controls, levels and ways: a positive control is the best of them, a
/// negative one the worst, that farthest from chance.
void add_control(std::vector<ControlResult>& all, ControlResult result);

/// One verdict per attacker and control. A positive control is the best of its levels and ways, a negative one the
/// worst: that farthest from chance. `controls` are the measurements of one attacker, `other_photos` its
/// least_of_other_photos().
std::vector<ControlResult> verdicts(const AttackerFacts& facts, const std::vector<Measurement>& controls,
                                    double other_photos);

}  // namespace facemae
