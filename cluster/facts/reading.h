#pragma once
// Reads what the system tells in small files (/proc, /sys, /etc) below a root that tests replace.

#include <optional>
#include <string>
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// The text of a file without the blanks around it; "" when it cannot be read.
std::string text_of(const Path& file);
std::vector<std::string> lines_of(const Path& file);
std::optional<std::int64_t> number_of(const Path& file);
/// Names in a folder, sorted; none when it cannot be read.
std::vector<std::string> names_in(const Path& folder);
/// The value of "key: value" or "key value" in such lines, "" without one.
std::string value_in(const std::vector<std::string>& lines, const std::string& key);
/// A whole number at the beginning of a text.
std::optional<std::int64_t> leading_number(const std::string& text);

/// "0-3,8" is {0, 1, 2, 3, 8}; at most 65536 of them, and what is no list of numbers is none.
std::vector<int> core_list(const std::string& text);
std::string core_text(std::vector<int> cores);

}  // namespace facemae
