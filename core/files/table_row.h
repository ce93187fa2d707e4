#pragma once
// Takes rows of tables apart (CSV after RFC 4180, and the same with other separators).
#include <string>
#include <string_view>
#include <vector>

#include "core/files/text_lines.h"

namespace facemae {

/// What parts the fields of a table, judged by its first row: a tab if there is one; of comma and semicolon,
/// the one that is there outside of quotes; '?' when both are; ' ' when none is.
char separator_of(std::string_view row);

/// Splits a row into its fields, without the blanks around them. A field in double quotes may hold separators,
/// quotes (doubled) and ends of lines: then `row`, a line of `lines`, goes on in the next one. The separator
/// ' ' is any run of blanks and tabs. Throws DataError for a quote that is not closed, or not followed by a
/// separator.
void split_row(TextLines& lines, std::string_view row, char separator, std::vector<std::string>& fields);

}  // namespace facemae
