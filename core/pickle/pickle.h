#pragma once
// What Python pickles hold, as a tree of plain values. Nothing is executed: what callables mean is up to the few
// readers that know some of them (pickle_machine.h).
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace facemae {

/// One value; others are referred to by number, so that no depth of nesting can exhaust the call stack. A value may hold
/// itself, and be held many times.
struct PickleValue {
  enum class Kind {
    None,
    Bool,
    Int,
    Float,
    ByteString,
    Text,
    List,
    Tuple,
    Dict,
    Callable,
    DataType,
    Array,
    Storage,
    Tensor,
    Object
  };
  Kind kind = Kind::None;
  std::uint64_t offset = 0;  ///< of the opcode that made it
  std::int64_t number = 0;   ///< Int, Bool; Storage, Tensor: which of the reader's own
  double real = 0;           ///< Float
  /// ByteString, Text (UTF-8), Callable (as its reader names it), Array (raw values), Object (what it would be made by).
  std::string_view bytes;
  std::vector<std::uint32_t> items;  ///< List, Tuple; Dict: key, value, ...; Array: its shape as one Tuple
  std::string type;  ///< DataType, Array: kind and bytes of a value, as "u1", "b1", "i8", "f4", "O8"
};

/// Its texts lie in the bytes that it was read from, and in itself: moved, never copied.
class Pickle {
 public:
  Pickle() = default;
  Pickle(Pickle&&) = default;
  Pickle& operator=(Pickle&&) = default;
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;
  const PickleValue& root() const { return at(root_); }
  const PickleValue& at(std::uint32_t number) const { return values_[number]; }
  std::uint32_t root_number() const { return root_; }
  std::size_t size() const { return values_.size(); }
  /// Name of a kind with its article, for messages: "a list".
  static std::string name_of(PickleValue::Kind kind);

 private:
  friend class PickleMachine;
  std::deque<PickleValue> values_;
  std::deque<std::string> decoded_;  ///< strings that were written with escapes or as latin-1 text
  std::uint32_t root_ = 0;
};

/// The bytes that Python wrote as the letters of a text, one each; nothing when it has a letter beyond latin-1.
std::optional<std::string> latin1_bytes(std::string_view utf8);

}  // namespace facemae
