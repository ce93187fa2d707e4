// Opcodes whose argument is a line of text: all of protocol 0, which Python 2 wrote unless told otherwise.
#include <array>
#include <charconv>
#include <cstring>

#include "core/pickle/pickle_machine.h"

namespace facemae {

using Kind = PickleValue::Kind;

namespace {

/// Opcodes that not every kind of file has a use for, by the names of Python's pickletools.
std::string_view name_of_opcode(std::uint8_t opcode) {
  static constexpr std::array<std::pair<std::uint8_t, std::string_view>, 20> names = {{
      {'0', "POP"},        {'1', "POP_MARK"},   {'2', "DUP"},          {'P', "PERSID"},
      {'Q', "BINPERSID"},  {'d', "DICT"},       {'i', "INST"},         {'o', "OBJ"},
      {'s', "SETITEM"},    {'u', "SETITEMS"},   {0x81, "NEWOBJ"},      {0x82, "EXT1"},
      {0x83, "EXT2"},      {0x84, "EXT4"},      {0x8f, "EMPTY_SET"},   {0x90, "ADDITEMS"},
      {0x91, "FROZENSET"}, {0x92, "NEWOBJ_EX"}, {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
  }};
  for (const auto& [code, name] : names)
    if (code == opcode) return name;
  return "";
}

void add_utf8(std::string& text, std::uint32_t letter) {
  if (letter < 0x80) {
    text += static_cast<char>(letter);
    return;
  }
  const int more = letter < 0x800 ? 1 : letter < 0x10000 ? 2 : 3;
  static constexpr std::array<std::uint32_t, 4> lead = {0, 0xC0, 0xE0, 0xF0};
  text += static_cast<char>(lead[static_cast<std::size_t>(more)] | letter >> (6 * more));
  for (int i = more; i-- > 0;) text += static_cast<char>(0x80 | (letter >> (6 * i) & 0x3F));
}

/// The number that `digits` are in the base; nothing when they are none.
std::optional<std::uint32_t> digits_in(std::string_view digits, int base) {
  std::uint32_t value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (fault != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return {};
  return value;
}

}  // namespace

std::int64_t PickleMachine::decimal(std::string_view text) const {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) refuse("a number that is none");
  return number;
}

/// LONG1, LONG4: little endian.
void PickleMachine::push_long(std::uint64_t width) {
  if (width > 8) refuse(fmt::format("a number of {} bytes", width));
  const auto digits = take(width);
  std::uint64_t number = width > 0 && (digits.back() & 0x80) ? ~std::uint64_t{0} : 0;
  std::memcpy(&number, digits.data(), digits.size());
  push_number(Kind::Int, static_cast<std::int64_t>(number));
}

/// The bytes of a string as Python 2's repr() shows it.
std::string PickleMachine::unquoted(std::string_view quoted) const {
  if (quoted.size() < 2 || (quoted[0] != '\'' && quoted[0] != '"') || quoted.back() != quoted[0])
    refuse("a string without its quotes");
  const auto text = quoted.substr(1, quoted.size() - 2);
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    if (++i == text.size()) refuse("a string that ends within an escape");
    static constexpr std::string_view letters = "\\'\"abfnrtv", meanings = "\\'\"\a\b\f\n\r\t\v";
    if (const auto at = letters.find(text[i]); at != std::string_view::npos) {
      bytes += meanings[at];
      continue;
    }
    const bool octal = text[i] >= '0' && text[i] <= '7';
    const auto digits =
        octal ? text.substr(i, std::min(text.find_first_not_of("01234567", i) - i, std::size_t{3}))
              : text.substr(std::min(i + 1, text.size()), 2);
    const auto value = digits_in(digits, octal ? 8 : 16);
    if (!value || (!octal && (text[i] != 'x' || digits.size() != 2)))
      refuse(fmt::format("a string with the escape '\\{}', which Python does not write", text[i]));
    bytes += static_cast<char>(*value);
    i += digits.size() - (octal ? 1 : 0);
  }
  return bytes;
}

/// The UTF-8 of a text of which letters beyond latin-1 are \uXXXX or \UXXXXXXXX.
std::string PickleMachine::utf8_of_escapes(std::string_view text) const {
  std::string utf8;
  utf8.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t width = text.substr(i).starts_with("\\u")   ? 4
                              : text.substr(i).starts_with("\\U") ? 8
                                                                  : 0;
    if (width == 0) {
      add_utf8(utf8, static_cast<std::uint8_t>(text[i]));
      continue;
    }
    const auto digits = text.substr(i + 2, width);
    const auto letter = digits_in(digits, 16);
    if (!letter || digits.size() != width || *letter > 0x10FFFF) refuse("a text with an escape that is none");
    add_utf8(utf8, *letter);
    i += 1 + width;
  }
  return utf8;
}

void PickleMachine::step_line(std::uint8_t opcode) {
  switch (opcode) {
    case 'l': {
      auto items = pop_to_mark();
      push(Kind::List).items = std::move(items);
      return;
    }
    case 'p':
      return remember(static_cast<std::uint64_t>(decimal(line())));
    case 'g':
      return recall(static_cast<std::uint64_t>(decimal(line())));
    case 'c': {
      const auto module = line();
      return push_callable(module, line());
    }
    case 'S':
      return push_bytes(Kind::ByteString, out_.decoded_.emplace_back(unquoted(line())));
    case 'V':
      return push_bytes(Kind::Text, out_.decoded_.emplace_back(utf8_of_escapes(line())));
    case 'I': {  // 00 and 01 are bools
      const auto text = line();
      if (text == "00" || text == "01") return push_number(Kind::Bool, text == "01");
      return push_number(Kind::Int, decimal(text));
    }
    case 'L': {
      auto text = line();
      if (text.ends_with('L')) text.remove_suffix(1);
      return push_number(Kind::Int, decimal(text));
    }
    case 'F': {
      const auto text = line();
      double number = 0;
      const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (fault != std::errc{} || end != text.data() + text.size()) refuse("a number that is none");
      push(Kind::Float).real = number;
      return;
    }
    default: {
      const auto name = name_of_opcode(opcode);
      refuse(fmt::format("opcode 0x{:02x}{}{} is not one that {} needs", opcode, name.empty() ? "" : " ",
                         name, what()),
             rewrite());
    }
  }
}

}  // namespace facemae
