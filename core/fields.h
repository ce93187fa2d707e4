#pragma once
// Texts as fields of tables that are written line by line.
#include <string>
#include <string_view>

namespace facemae {

/// Between tabs: tab, newline, carriage return and backslash become \t, \n, \r and \\, so that a record stays one
/// line.
std::string tsv_field(std::string_view text);

/// Between commas: in quotes, with quotes within doubled.
std::string csv_field(std::string_view text);
/// The same, in quotes only where it holds a comma, a quote or the end of a line (RFC 4180).
std::string csv_word(std::string_view text);

}  // namespace facemae
