#pragma once
// Counts what an attacker found, level by level, person by person.
#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/campaign/searches.h"

namespace facemae {

/// Measurements that grow over folds: tallies of the same attack, attacker, level, control and pairs are pooled, and
/// chance is the mean over all trials.
class Tallies {
 public:
  /// `only`: whose probes are counted; empty: everybody's. `weight`: what a probe counts.
  void add(const AttackerFacts& facts, const Search& search, const Target& target, const std::string& pairs,
           const std::string& control = "", const std::vector<bool>& only = {}, double weight = 1);
  /// The same from standings: that of each probe, and its person.
  void add(const AttackerFacts& facts, Level level, const std::string& way,
           const std::vector<Standing>& standings, const std::vector<std::int64_t>& person,
           const Target& target, const std::string& pairs, const std::string& control = "",
           const std::vector<bool>& only = {}, double weight = 1);
  /// With `found` and its interval by person.
  std::vector<Measurement> measurements() const;

 private:
  std::vector<Measurement> rows_;  ///< chance: the sum over trials
};

/// Released picture -> its own photo, or a copy of it: by rank_mates. Empty when pictures are made of several photos,
/// or the attacker gives evidence by person only.
std::vector<Standing> own_pictures(const Evidence& evidence, const Target& target);

/// What an attacker makes of a target: finite and of the right size. Where numbers are not finite, they become 0 with
/// a warning: such an attacker fails its controls. Throws ConfigError when sizes are wrong.
Evidence evidence_of(Attacker& attacker, const Target& target);
/// The same of Attacker::look_at_photos.
Evidence evidence_of_photos(Attacker& attacker, const Target& target);

/// All levels of one attacker that has learnt.
std::vector<Measurement> measure(Attacker& attacker, const Target& target, const std::string& pairs = "");

}  // namespace facemae
