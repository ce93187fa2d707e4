#pragma once
// Finds the templates that IJB's lists name.
#include "evaluation/ijb/ijb_meta.h"

namespace facemae {

/// The position in IjbFaces::template_ids. Throws DataError with the place of the line for a template without faces.
std::uint32_t position_of_template(const IjbFaces& faces, std::int64_t id, const TextLines& lines);

}  // namespace facemae
