#pragma once
// The inside of the pickle reader: pickle.cpp runs opcodes, pickle_lines.cpp those that are lines of text,
// pickle_calls.cpp knows what the few allowed callables mean.
#include <cstring>
#include <unordered_map>

#include "core/log.h"
#include "evaluation/formats/pickle.h"

namespace facemae {

/// What is said of a pickle that only Python understands.
inline constexpr std::string_view kRewrite =
    ". If you trust who made it, Python writes it anew:\n"
    "  import pickle; images, same = pickle.load(open('IN.bin', 'rb'), encoding='bytes')\n"
    "  images, same = [bytes(i) for i in images], [bool(int(s)) for s in same]\n"
    "  pickle.dump((images, same), open('OUT.bin', 'wb'), protocol=4)";

/// The stack machine that a pickle is a program for.
class PickleMachine {
 public:
  PickleMachine(std::string_view bytes, Pickle& out) : bytes_(bytes), out_(out) {}

  void run() {
    while (!stopped_) {
      opcode_at_ = at_;
      step(static_cast<std::uint8_t>(take(1)[0]));
    }
    if (at_ != bytes_.size()) refuse_pickle(at_, fmt::format("{} bytes follow the end", bytes_.size() - at_));
  }

 private:
  // A real pack of 7,000 pairs of numpy arrays makes some 100,000 values; a hostile file
  // could make one a byte.
  static constexpr std::size_t kMaxValues = 1 << 22;

  [[noreturn]] void refuse(const std::string& found, std::string_view remedy = "") const {
    refuse_pickle(opcode_at_, found, remedy);
  }

  std::string_view take(std::uint64_t count) {
    const std::uint64_t left = bytes_.size() - at_;
    if (count > left) refuse(fmt::format("{} bytes are announced, {} are left", count, left));
    const auto piece = bytes_.substr(at_, count);
    at_ += count;
    return piece;
  }
  std::uint64_t unsigned_number(int width) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(static_cast<std::uint64_t>(width)).data(), static_cast<std::size_t>(width));
    return value;
  }
  std::int64_t signed32() {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(unsigned_number(4)));
  }
  std::string_view line() {
    const auto end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse("a line without an end");
    auto text = take(end - at_);
    take(1);
    if (text.ends_with('\r')) text.remove_suffix(1);  // of a file that was open as text on Windows
    return text;
  }

  PickleValue& push(PickleValue::Kind kind) {
    if (out_.values_.size() >= kMaxValues) refuse(fmt::format("more than {} values", kMaxValues));
    stack_.push_back(static_cast<std::uint32_t>(out_.values_.size()));
    auto& value = out_.values_.emplace_back();
    value.kind = kind;
    value.offset = opcode_at_;
    return value;
  }
  void push_number(PickleValue::Kind kind, std::int64_t number) { push(kind).number = number; }
  void push_bytes(PickleValue::Kind kind, std::string_view bytes) { push(kind).bytes = bytes; }

  /// Nothing below the last mark may be touched.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  std::uint32_t pop() {
    if (stack_.size() <= floor()) refuse("the stack is empty");
    const auto top = stack_.back();
    stack_.pop_back();
    return top;
  }
  std::uint32_t top() const {
    if (stack_.size() <= floor()) refuse("the stack is empty");
    return stack_.back();
  }
  std::vector<std::uint32_t> pop_to_mark() {
    if (marks_.empty()) refuse("there is no mark on the stack");
    std::vector<std::uint32_t> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()),
                                     stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  PickleValue& value(std::uint32_t number) { return out_.values_[number]; }

  void push_tuple(std::size_t count) {
    std::vector<std::uint32_t> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push(PickleValue::Kind::Tuple).items = std::move(items);
  }
  void append(const std::vector<std::uint32_t>& items) {
    auto& list = value(top());
    if (list.kind != PickleValue::Kind::List) refuse("appending to " + Pickle::name_of(list.kind));
    list.items.insert(list.items.end(), items.begin(), items.end());
  }
  void remember(std::uint64_t name) { memo_[name] = top(); }
  void recall(std::uint64_t name) {
    const auto found = memo_.find(name);
    if (found == memo_.end()) refuse(fmt::format("memo {} was never written", name));
    stack_.push_back(found->second);
  }

  void push_callable(std::string_view module, std::string_view name);
  void call();
  void build();
  void set_array(PickleValue& array, std::uint32_t shape, const PickleValue& type, const PickleValue& raw);
  void charge(std::uint64_t copied);
  std::string_view latin1(std::string_view utf8);
  void push_long(std::uint64_t width);
  std::int64_t decimal(std::string_view text) const;
  std::string unquoted(std::string_view quoted) const;
  std::string utf8_of_escapes(std::string_view text) const;
  void step(std::uint8_t opcode);
  void step_text(std::uint8_t opcode);
  void step_line(std::uint8_t opcode);

  std::string_view bytes_;
  Pickle& out_;
  std::uint64_t at_ = 0, opcode_at_ = 0, copied_ = 0;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, std::uint32_t> memo_;
  bool stopped_ = false;
};

}  // namespace facemae
