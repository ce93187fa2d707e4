#pragma once
// Reads lists of images and labels: two columns, tables with a header, MXNet's and InsightFace's .lst.
#include <functional>
#include <string>
#include <string_view>

#include "core/files/text_lines.h"

namespace facemae {

/// What is done with a row; both are good until it returns.
using TakeListed = std::function<void(std::string_view path, std::string_view label)>;

/// Calls take() for each row of a list, in order, holding one row in memory. Rows are parted by tabs, commas,
/// semicolons (with quotes) or blanks, as the first one is; empty lines and lines that begin with # are passed
/// over, and so is a header, which decides on the columns (list_columns.h). Without header and separator, the
/// label is what follows the last tab or blank. Throws DataError, naming the line, for what could mean more
/// than one thing; exceptions of take() pass through. Returns what there is to tell of the columns, or "".
std::string read_image_list(TextLines& lines, const TakeListed& take);

}  // namespace facemae
