#pragma once
// What an attack found: hits and trials of each person, from which every interval, headline and verdict is made.
#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/statistics/figure.h"

namespace facemae {

/// What was tried on one person: people are found or missed as a whole, so they are the unit of every interval.
struct Tally {
  std::int64_t person = 0;  ///< of the audited store; nobody's name
  double hits = 0, trials = 0;
  /// Who is in one class of a blend is found or missed with the others of it: the first person of the class, for all of
  /// them. -1: alone.
  std::int64_t with = -1;
  std::int64_t unit() const { return with < 0 ? person : with; }
};

/// "facemae_audit" in report.json. 2: tallies are sorted, and say who is found together.
inline constexpr int kReportVersion = 2;

/// What the attacker looks for. docs/METHOD.md, "Audit", defines each.
enum class Level {
  OwnPicture,       ///< released picture -> the photo that it was made of
  PictureToPerson,  ///< released picture -> one of the people that it was made of
  PhotoToClass,     ///< one photo of a person -> the released class that holds the person
  PersonToClass,    ///< all photos of a person -> that class
  ClassToPerson,    ///< released class -> one of its people
  Membership,       ///< was this person released at all (hits at a fixed false-positive rate)
};
/// "own_picture", ... as in report.json and in policies. Throws ConfigError naming the nearest one.
const char* name_of(Level level);
Level level_from(const std::string& name);

struct Measurement {
  std::string attack;    ///< "A1"
  std::string attacker;  ///< "closed-form channel, colour 14x14"
  Level level = Level::OwnPicture;
  std::string
      control;  ///< "" on the release itself; else what stood in for it: "planted", "shuffled links", ...
  std::string pairs;  ///< how many pairs the attacker learnt from: "" none, "100", "500", "all"
  double chance = 0;  ///< what guessing reaches
  /// K of a blend: who finds the right class of a person has named nobody yet, but one of K.
  std::int64_t people_per_class = 1;
  std::vector<Tally> tallies;
  Figure found;                      ///< hits / trials; the interval by person
  std::int64_t attacker_people = 0;  ///< whom the attacker learnt from
  std::int64_t nonmembers = 0;       ///< of Membership: people who were never released
};

/// How many people have a trial.
std::int64_t people_of(const Measurement& measurement);

/// The chance of naming a person rightly: `found` / people_per_class.
Figure naming_odds(const Measurement& measurement);

}  // namespace facemae
