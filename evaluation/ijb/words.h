#pragma once
// Words and numbers of the lines of IJB's lists.
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/files/text_lines.h"
#include "core/log.h"

namespace facemae {

/// Takes the next word, parted by blanks or tabs, off the line; "" at its end.
inline std::string_view take_word(std::string_view& line) {
  const auto begin = std::min(line.find_first_not_of(" \t"), line.size());
  const auto end = std::min(line.find_first_of(" \t", begin), line.size());
  const auto word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

/// The word as a finite number. Throws DataError with the line's place and what it should be.
template <class Number>
Number number_of_word(std::string_view word, const TextLines& lines, const char* what) {
  Number number{};
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (fault != std::errc() || end != word.data() + word.size() || !std::isfinite(static_cast<double>(number)))
    throw DataError(fmt::format("{}: \"{}\" is not {}", lines.place(), word.substr(0, 80), what));
  return number;
}

/// The next line that is not empty; false when there is none.
inline bool next_line_of_words(TextLines& lines, std::string_view& line) {
  while (lines.next(line))
    if (line.find_first_not_of(" \t") != std::string_view::npos) return true;
  return false;
}

}  // namespace facemae
