#include "evaluation/formats/pair_lines.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/files/text_lines.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kSeparators =
    "\t,; ";  // in the order in which they are tried; a blank is any number of both
constexpr std::string_view kBlanks = " \t";

/// What stands between the separators; nothing when a quote is not closed. Empty words at the end are left out.
std::optional<Words> words_of(std::string_view line, char separator) {
  const std::string_view between = separator == ' ' ? kBlanks : std::string_view(&separator, 1);
  Words words;
  for (std::size_t at = 0; at <= line.size();) {
    const auto start = line.find_first_not_of(kBlanks, at);
    if (start == std::string_view::npos) break;
    std::string word;
    if (line[start] == '"') {
      std::size_t i = start + 1;
      for (; i < line.size() && (line[i] != '"' || line.substr(i + 1).starts_with('"')); ++i) {
        word += line[i];
        i += line[i] == '"' ? 1 : 0;
      }
      if (i >= line.size()) return {};
      at = line.find_first_of(between, i);
    } else if (separator == '\t' && line.substr(at).starts_with('\t')) {
      at = line.find_first_of(between, at);  // an empty word
    } else {
      at = line.find_first_of(between, start);
      word = trim(line.substr(start, at - start));
    }
    words.push_back(std::move(word));
    if (at == std::string_view::npos) break;
    ++at;
  }
  while (!words.empty() && words.back().empty()) words.pop_back();
  return words;
}

bool is_number(const std::string& word) { return whole_number(word).has_value(); }

/// Whether these are the words of some kind of line.
bool fits(const Words& words) {
  if (std::any_of(words.begin(), words.end(), [](const auto& word) { return word.empty(); })) return false;
  switch (words.size()) {
    case 2:  // path label
      return is_number(words[1]) || same_or_not(words[1]);
    case 3:  // a b same, same a b, name i j
      return same_or_not(words[2]) || same_or_not(words[0]) || (is_number(words[1]) && is_number(words[2]));
    case 4:  // name i name j
      return is_number(words[1]) && is_number(words[3]);
    default:
      return false;
  }
}

/// The words of a line by the first separator with which they are some kind of line.
Words fitting_words(std::string_view line) {
  for (const char separator : kSeparators)
    if (auto words = words_of(line, separator); words && fits(*words)) return *words;
  return {};
}

/// LFW's heading: one or two numbers.
std::vector<std::uint64_t> counts_in(std::string_view line) {
  std::vector<std::uint64_t> counts;
  for (const char separator : kSeparators) {
    const auto words = words_of(line, separator).value_or(Words{});
    if (words.empty() || words.size() > 2 || !std::all_of(words.begin(), words.end(), is_number)) continue;
    for (const auto& word : words) counts.push_back(*whole_number(word));
    return counts;
  }
  return {};
}

/// A word of a heading without what people vary.
std::string plain(const std::string& word) {
  std::string letters;
  for (const char c : word)
    if (c != '_' && c != '-' && c != ' ')
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return letters;
}

/// Which image of a pair a word of a heading means, 0 or 1, or 2 for the answer; nothing for other words.
std::optional<std::size_t> meaning_of(const std::string& word) {
  static const std::vector<std::string> answers = {"same", "issame", "label", "match", "ismatch", "target"},
                                        images = {"",         "path", "image", "img",       "file",
                                                  "filename", "face", "photo", "imagepath", "imgpath"},
                                        firsts = {"left", "first"}, seconds = {"right", "second"};
  const auto is_one_of = [](const std::string& name, const std::vector<std::string>& known) {
    return std::find(known.begin(), known.end(), name) != known.end();
  };
  const std::string name = plain(word);
  if (is_one_of(name, answers)) return 2;
  if (is_one_of(name, firsts)) return 0;
  if (is_one_of(name, seconds)) return 1;
  if (name.empty() || !is_one_of(name.substr(0, name.size() - 1), images)) return {};
  return name.ends_with('1') || name.ends_with('a')   ? std::optional<std::size_t>(0)
         : name.ends_with('2') || name.ends_with('b') ? std::optional<std::size_t>(1)
                                                      : std::nullopt;
}

/// Finds the columns of a heading by name, and the separator with which it has them.
struct Heading {
  std::array<std::size_t, 3> columns{};
  char separator = ',';
};
std::optional<Heading> heading_in(std::string_view line) {
  for (const char separator : kSeparators) {
    const auto words = words_of(line, separator).value_or(Words{});
    Heading heading{.separator = separator};
    std::array<int, 3> found{};
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (const auto meaning = meaning_of(words[i])) {
        heading.columns[*meaning] = i;
        ++found[*meaning];
      }
    }
    if (found == std::array{1, 1, 1}) return heading;
  }
  return {};
}

/// The heading of LFW's pairs as a table: name,imagenum1,imagenum2 and another name or number.
bool is_heading_of_people(std::string_view line) {
  const auto words = words_of(line, ',').value_or(Words{});
  return words.size() >= 3 && plain(words[0]) == "name" && plain(words[1]).starts_with("imagenum");
}

/// Our own heading: "# facemae pairs: folds F, store DIGEST".
void read_own_heading(std::string_view line, const Path& path, PairLines& out) {
  constexpr std::string_view start = "# facemae pairs: folds ", digest = ", store ";
  if (!line.starts_with(start)) return;
  const auto folds = whole_number(line.substr(start.size(), line.find(',') - start.size()));
  if (!folds || *folds < 1 || *folds > 1'000'000)
    throw DataError(path.string() + ": the number of folds in its first line is not a number");
  out.folds = static_cast<int>(*folds);
  if (const auto at = line.find(digest); at != std::string_view::npos)
    out.store_digest = line.substr(at + digest.size());
}

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (fault != std::errc{} || end != word.data() + word.size()) return {};
  return value;
}

std::optional<bool> same_or_not(std::string_view word) {
  static constexpr std::array yes = {"1", "+1", "1.0", "true", "same"};
  static constexpr std::array no = {"0", "-1", "0.0", "-1.0", "false", "different"};
  const std::string name = word.size() > 9 ? "" : [&] {
    std::string small;
    for (const char c : word) small += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return small;
  }();
  if (std::find(yes.begin(), yes.end(), name) != yes.end()) return true;
  if (std::find(no.begin(), no.end(), name) != no.end()) return false;
  return {};
}

void refuse_pair_line(const PairLine& line, const Path& path, const std::string& fault) {
  throw DataError(fmt::format(
      "line {} of the pairs {} is \"{}\"{}; expected is \"a b same\" (paths or rows; same is 1, or 0 or -1; "
      "tabs or commas between them where paths have blanks), or LFW's \"name i j\" and \"name i name j\"",
      line.number, path.string(), line.text.substr(0, 200), fault));
}

PairLines read_pair_lines(std::string_view text, const Path& path) {
  if (text.starts_with('\x80'))
    throw DataError("the pairs " + path.string() +
                    " are not a text; a verification pack is one of --bin, or of --eval and ends in .bin");
  PairLines out;
  std::optional<char> separator;  // of a heading by name
  bool first = true;
  PairLine line;
  TextLines lines(text, path.string());
  for (std::string_view raw; lines.next(raw);) {
    line.text = raw;
    line.number = lines.number();
    read_own_heading(line.text, path, out);
    if (line.text.find_first_not_of(kBlanks) == std::string_view::npos || line.text.starts_with('#'))
      continue;
    if (first) {
      first = false;
      out.counts = counts_in(line.text);
      if (!out.counts.empty() || is_heading_of_people(line.text)) continue;
      if (const auto heading = heading_in(line.text)) {
        out.columns = heading->columns;
        separator = heading->separator;
        continue;
      }
    }
    line.words = separator ? words_of(line.text, *separator).value_or(Words{}) : fitting_words(line.text);
    if (line.words.empty()) refuse_pair_line(line, path, "");
    out.lines.push_back(line);
  }
  return out;
}

}  // namespace facemae
