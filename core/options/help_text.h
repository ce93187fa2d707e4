#pragma once
// Help texts set to the width of the terminal.
#include <string>

namespace facemae {

/// Columns of the terminal that stdout is, at least 60; 100 where it is none, so that a pipe gets the same text always.
int help_width();

/// Lines longer than `width` are broken at blanks. What goes on is indented as far as its line, or as its second
/// column: what follows two blanks or more. A command to copy, which begins with facemae or mpirun, stays whole.
std::string wrapped(const std::string& text, int width);

/// "  head", then `text` in a column of its own, which begins after `column` letters; below the head when that is longer.
std::string in_column(const std::string& head, const std::string& text, int column, int width);

}  // namespace facemae
