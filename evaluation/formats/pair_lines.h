#pragma once
// The lines of a text of verification pairs, whatever separates their words: which word means what is for pair_list.cpp.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/files.h"

namespace facemae {

struct PairLine {
  std::uint64_t number = 0;  ///< in the file, from 1
  std::string text;
  std::vector<std::string> words;
};

struct PairLines {
  int folds = 0;             ///< of our own heading, 0 without one
  std::string store_digest;  ///< likewise
  std::vector<std::uint64_t>
      counts;  ///< LFW's heading: folds and pairs of a kind in each, or these pairs alone
  std::optional<std::array<std::size_t, 3>> columns;  ///< of a heading by name: of a, b and same
  std::vector<PairLine> lines;                        ///< without headings, comments and empty lines
};

/// Takes quotes (RFC 4180) and tabs, commas, semicolons or blanks between words: per line the
/// first of these that makes it one of the kinds of docs/FORMATS.md, "Pairs". Throws DataError naming file and line,
/// like TextLines, too.
PairLines read_pair_lines(std::string_view text, const Path& path);

std::optional<std::uint64_t> whole_number(std::string_view word);
/// 1, true, same ... or 0, -1, false, different ...; nothing for other words.
std::optional<bool> same_or_not(std::string_view word);

/// `line 3 of pairs.txt is "...": FAULT`, and what is expected.
[[noreturn]] void refuse_pair_line(const PairLine& line, const Path& path, const std::string& fault);

}  // namespace facemae
