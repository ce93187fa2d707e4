#pragma once
// A reader of Python pickles, protocols 0 to 5, that builds a tree of plain values and executes
// nothing: of callables it knows those that numpy arrays and byte strings are written with, and
// refuses all others by name.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace facemae {

/// One value; others are referred to by number, so that no depth of nesting can exhaust the call stack.
struct PickleValue {
  enum class Kind { None, Bool, Int, Float, ByteString, Text, List, Tuple, Dict, Callable, DataType, Array };
  Kind kind = Kind::None;
  std::uint64_t offset = 0;  ///< of the opcode that made it
  std::int64_t number = 0;   ///< Int, Bool
  double real = 0;           ///< Float
  std::string_view bytes;    ///< ByteString, Text (UTF-8), Callable ("module name"), Array (raw values)
  std::vector<std::uint32_t> items;  ///< List, Tuple; Array: its shape as one Tuple, once known
  std::string type;  ///< DataType, Array: kind and bytes of a value, as "u1", "b1", "i8", "f4", "O8"
};

class Pickle {
 public:
  /// Reads one whole pickle. `bytes` must outlive it. Throws DataError naming the byte offset.
  explicit Pickle(std::string_view bytes);
  const PickleValue& root() const { return at(root_); }
  const PickleValue& at(std::uint32_t number) const { return values_[number]; }
  /// Name of a kind with its article, for messages: "a list".
  static std::string name_of(PickleValue::Kind kind);

 private:
  friend class PickleMachine;
  std::deque<PickleValue> values_;
  std::deque<std::string> decoded_;  ///< strings that were written with escapes or as latin-1 text
  std::uint32_t root_ = 0;
};

/// DataError "reading a pickle: byte 123: ...".
[[noreturn]] void refuse_pickle(std::uint64_t offset, const std::string& found, std::string_view remedy = "");

/// The bytes that Python wrote as the letters of a text, one each; nothing when it has a letter beyond latin-1.
std::optional<std::string> latin1_bytes(std::string_view utf8);

}  // namespace facemae
