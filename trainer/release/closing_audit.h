#pragma once
// The figure that a release should never go out without: the quick audit that closes `reconstruct`.
#include <cstdint>
#include <optional>
#include <string>

#include "core/files/files.h"
#include "data/store/store.h"
#include "evaluation/attacks/audit.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

/// Where pictures have several originals, of what people they are.
struct BlendAudit {
  Measurement picture, by_class;  ///< of the attackers that find most: PictureToPerson, ClassToPerson
  std::int64_t pictures = 0, classes = 0, photos = 0, people = 0;
};
struct ClosingAudit {
  std::optional<QuickAudit> originals;  ///< of a release in which each picture has one original
  std::optional<BlendAudit> blend;      ///< of a blend
};

/// Of at most 2,000 pictures, spread over the finished release `out`; the candidates are their originals. Of a blend: of
/// as many classes as have some 8,000 photos, which are the candidates, and at most 2,000 of their pictures.
/// Throws DataError, FileError.
ClosingAudit closing_audit(const Path& out, const Path& private_folder, const Store& source);
/// For people, in lines, with what it does not mean.
std::string closing_audit_text(const ClosingAudit& audit);

}  // namespace facemae
