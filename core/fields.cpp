#include "core/fields.h"

namespace facemae {

std::string tsv_field(std::string_view text) {
  constexpr std::string_view kSpecial = "\t\n\r\\", kLetter = "tnr\\";
  std::string field;
  for (const char c : text) {
    const auto special = kSpecial.find(c);
    field += special == kSpecial.npos ? std::string(1, c) : std::string("\\") + kLetter[special];
  }
  return field;
}

std::string csv_field(std::string_view text) {
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? "\"\"" : std::string(1, c);
  return field + "\"";
}

std::string csv_word(std::string_view text) {
  return text.find_first_of(",\"\r\n") == text.npos ? std::string(text) : csv_field(text);
}

}  // namespace facemae
