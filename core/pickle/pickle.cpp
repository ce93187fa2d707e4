#include "core/pickle/pickle.h"

#include <array>
#include <bit>

#include "core/pickle/pickle_machine.h"

namespace facemae {

using Kind = PickleValue::Kind;

std::string Pickle::name_of(Kind kind) {
  static constexpr std::array names = {"None",          "a bool",     "a number",     "a number",
                                       "a byte string", "a text",     "a list",       "a tuple",
                                       "a dict",        "a callable", "a numpy type", "a numpy array",
                                       "a storage",     "a tensor",   "an object"};
  return names[static_cast<std::size_t>(kind)];
}

void PickleMachine::step(std::uint8_t opcode) {
  switch (opcode) {
    case 0x80: {  // PROTO
      const auto protocol = unsigned_number(1);
      if (protocol > 5) refuse(fmt::format("pickle protocol {}; 0 to 5 are understood", protocol), rewrite());
      return;
    }
    case 0x95: {  // FRAME: how far to read ahead
      const auto length = unsigned_number(8);
      if (length > bytes_.size() - at_)
        refuse(fmt::format("a frame of {} bytes, {} are left", length, bytes_.size() - at_));
      return;
    }
    case '.':  // STOP
      out_.root_ = pop();
      if (!stack_.empty() || !marks_.empty()) refuse("the end comes before everything is put together");
      stopped_ = true;
      return;
    case '(':
      return marks_.push_back(stack_.size());
    case ']':
      push(Kind::List);
      return;
    case ')':
      push(Kind::Tuple);
      return;
    case '}':
      push(Kind::Dict);
      return;
    case 'N':
      push(Kind::None);
      return;
    case 0x88:
      return push_number(Kind::Bool, 1);
    case 0x89:
      return push_number(Kind::Bool, 0);
    case 'J':
      return push_number(Kind::Int, signed32());
    case 'K':
      return push_number(Kind::Int, static_cast<std::int64_t>(unsigned_number(1)));
    case 'M':
      return push_number(Kind::Int, static_cast<std::int64_t>(unsigned_number(2)));
    case 0x8a:
      return push_long(unsigned_number(1));
    case 0x8b:
      return push_long(unsigned_number(4));
    case 'G': {  // BINFLOAT, big endian
      const std::uint64_t bits = __builtin_bswap64(unsigned_number(8));
      push(Kind::Float).real = std::bit_cast<double>(bits);
      return;
    }
    case 'a':
      return append({pop()});
    case 'e':
      return append(pop_to_mark());
    case 't': {
      auto items = pop_to_mark();
      push(Kind::Tuple).items = std::move(items);
      return;
    }
    case 0x85:
      return push_tuple(1);
    case 0x86:
      return push_tuple(2);
    case 0x87:
      return push_tuple(3);
    case 'q':
      return remember(unsigned_number(1));
    case 'r':
      return remember(unsigned_number(4));
    case 0x94:
      return remember(memo_.size());
    case 'h':
      return recall(unsigned_number(1));
    case 'j':
      return recall(unsigned_number(4));
    case 'R':
      return call();
    case 'b':
      return build();
    default:
      return step_text(opcode);
  }
}

/// Opcodes that carry text or bytes.
void PickleMachine::step_text(std::uint8_t opcode) {
  switch (opcode) {
    case 'U':  // SHORT_BINSTRING of Python 2, which did not tell bytes from text
    case 'C':
      return push_bytes(Kind::ByteString, take(unsigned_number(1)));
    case 'T': {
      const auto length = signed32();
      if (length < 0) refuse(fmt::format("a string of length {}", length));
      return push_bytes(Kind::ByteString, take(static_cast<std::uint64_t>(length)));
    }
    case 'B':
      return push_bytes(Kind::ByteString, take(unsigned_number(4)));
    case 0x8e:
    case 0x96:
      return push_bytes(Kind::ByteString, take(unsigned_number(8)));
    case 0x8c:
      return push_bytes(Kind::Text, take(unsigned_number(1)));
    case 'X':
      return push_bytes(Kind::Text, take(unsigned_number(4)));
    case 0x8d:
      return push_bytes(Kind::Text, take(unsigned_number(8)));
    case 0x93: {
      const auto& name = value(pop());
      const auto& module = value(pop());
      if (name.kind != Kind::Text || module.kind != Kind::Text) refuse("a name that is not text");
      return push_callable(module.bytes, name.bytes);
    }
    default:
      return step_line(opcode);
  }
}

/// One value may be recalled and copied many times: what that may cost is bounded by the file's size.
void PickleMachine::charge(std::uint64_t copied) {
  copied_ += copied;
  if (copied_ > 2 * bytes_.size()) refuse("the same value is copied again and again");
}

std::string_view PickleMachine::latin1(std::string_view utf8) {
  charge(utf8.size());
  auto bytes = latin1_bytes(utf8);
  if (!bytes) refuse("a text that should hold bytes has a letter beyond latin-1");
  return out_.decoded_.emplace_back(std::move(*bytes));
}

std::optional<std::string> latin1_bytes(std::string_view utf8) {
  std::string text;
  text.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<std::uint8_t>(utf8[i]);
    if (c < 0x80) {
      text += utf8[i];
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < utf8.size() && (utf8[i + 1] & 0xC0) == 0x80) {
      text += static_cast<char>((c & 3) << 6 | (utf8[++i] & 0x3F));
    } else {
      return {};
    }
  }
  return text;
}

}  // namespace facemae
