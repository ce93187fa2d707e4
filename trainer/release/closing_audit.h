#pragma once
// The figure that a release should never go out without: the quick audit that closes `reconstruct`.
#include <cstdint>
#include <string>
#include <vector>

#include "data/store/store.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

/// Simple attackers, and one that learns from half of the people (A0 without networks, A1).
struct ClosingAudit {
  std::vector<Measurement> found;  ///< of each level that there is, the attack that finds most
  Figure naming_odds;              ///< the highest of all, with an interval for the highest
  std::size_t attackers = 0;       ///< A1 needs some people to learn from
  std::int64_t pictures = 0, classes = 0, photos = 0, people = 0;
  const Measurement* at(Level level) const;  ///< nullptr without; no blend has OwnPicture
};

/// Of at most some 2,000 pictures in whole classes, of each at most 500; their originals are the candidates.
/// Throws DataError, FileError.
ClosingAudit closing_audit(const Path& out, const Path& private_folder, const Store& source);
/// For people, in lines, with what it does not mean.
std::string closing_audit_text(const ClosingAudit& audit);

}  // namespace facemae
