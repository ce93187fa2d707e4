#pragma once
// The figure that a release should never go out without: the quick audit that closes `reconstruct`.
#include <string>

#include "core/files/files.h"
#include "data/store/store.h"
#include "evaluation/attacks/audit.h"

namespace facemae {

/// Of at most 2,000 pictures, spread over the finished release `out`; the candidates are their originals.
/// Throws DataError, FileError.
QuickAudit closing_audit(const Path& out, const Path& private_folder, const Store& source);
/// For people, in lines, with what it does not mean.
std::string closing_audit_text(const QuickAudit& audit);

}  // namespace facemae
