#include "core/files/table_row.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::size_t kLongestRow = 4 << 20;

/// One field after the other of a row that may go on in further lines.
class Row {
 public:
  Row(TextLines& lines, std::string_view row, char separator)
      : lines_(lines), rest_(row), blanks_(separator == '\t' ? " " : kBlanks), separator_(separator) {}
  void split(std::vector<std::string>& fields) {
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
      skip_blanks();
      if (separator_ == ' ' && rest_.empty() && count > 0) break;  // blanks at the end
      if (fields.size() == count) fields.emplace_back();
      rest_.starts_with('"') ? quoted(fields[count]) : plain(fields[count]);
      more = next_field();
    }
    fields.resize(count);
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(blanks_))); }
  bool at_separator() const {
    return separator_ == ' ' ? kBlanks.find(rest_.front()) != kBlanks.npos : rest_.front() == separator_;
  }
  bool next_field() {
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void plain(std::string& field) {
    const std::size_t end = separator_ == ' ' ? rest_.find_first_of(kBlanks) : rest_.find(separator_);
    std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(text.size());
    text = text.substr(0, text.find_last_not_of(kBlanks) + 1);
    field.assign(text);
  }
  void quoted(std::string& field) {
    const std::uint64_t opened = lines_.number();
    field.clear();
    rest_.remove_prefix(1);
    for (;;) {
      const std::size_t quote = rest_.find('"');
      field.append(rest_.substr(0, quote));
      if (quote == rest_.npos) {
        field.push_back('\n');
        if (field.size() > kLongestRow || !lines_.next(rest_))
          throw DataError(lines_.place(opened) + ": a quote (\") is opened and never closed");
        continue;
      }
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      field.push_back('"');
      rest_.remove_prefix(1);
    }
    if (separator_ != ' ') skip_blanks();
    if (!rest_.empty() && !at_separator())
      throw DataError(fmt::format(
          "{}: a quote (\") is closed before the end of the field \"{}\"; within quotes they are doubled",
          lines_.place(opened), field.substr(0, 80)));
  }

  TextLines& lines_;
  std::string_view rest_, blanks_;
  char separator_;
};

}  // namespace

char separator_of(std::string_view row) {
  bool quoted = false, comma = false, semicolon = false;
  for (const char c : row) {
    quoted = quoted != (c == '"');
    if (quoted) continue;
    if (c == '\t') return '\t';
    comma = comma || c == ',';
    semicolon = semicolon || c == ';';
  }
  return comma && semicolon ? '?' : comma ? ',' : semicolon ? ';' : ' ';
}

void split_row(TextLines& lines, std::string_view row, char separator, std::vector<std::string>& fields) {
  Row(lines, row, separator).split(fields);
}

}  // namespace facemae
