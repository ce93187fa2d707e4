#pragma once
// The stack machine that a pickle, protocols 0 to 5, is a program for: pickle.cpp runs opcodes, pickle_lines.cpp those that
// are lines of text. Readers of a kind of file derive theirs and say what callables mean.
#include <cstring>
#include <unordered_map>

#include "core/log.h"
#include "core/pickle/pickle.h"

namespace facemae {

class PickleMachine {
 public:
  /// `bytes` must outlive `out`. A hostile file could make a value a byte: more than `most_values` are refused.
  PickleMachine(std::string_view bytes, Pickle& out, std::size_t most_values)
      : bytes_(bytes), out_(out), most_values_(most_values) {}
  virtual ~PickleMachine() = default;
  PickleMachine(const PickleMachine&) = delete;
  PickleMachine& operator=(const PickleMachine&) = delete;

  /// Reads one whole pickle. Throws DataError naming the byte offset.
  void run() {
    while (!stopped_) {
      opcode_at_ = at_;
      step(static_cast<std::uint8_t>(take(1)[0]));
    }
    opcode_at_ = at_;
    if (at_ != bytes_.size()) refuse(fmt::format("{} bytes follow the end", bytes_.size() - at_));
  }

 protected:
  /// What is at byte `opcode_at_` cannot be read: throws DataError.
  [[noreturn]] virtual void refuse(const std::string& found, std::string_view remedy = "") const = 0;
  /// What is said of pickles that only Python understands.
  virtual std::string_view rewrite() const = 0;
  /// What such files are, for messages: "a verification pack".
  virtual std::string_view what() const = 0;
  virtual void push_callable(std::string_view module, std::string_view name) = 0;
  virtual void call() = 0;   ///< REDUCE: callable, tuple of arguments -> result
  virtual void build() = 0;  ///< BUILD: object, state -> object with the state
  virtual void step(std::uint8_t opcode);

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
    if (out_.values_.size() >= most_values_) refuse(fmt::format("more than {} values", most_values_));
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

  void charge(std::uint64_t copied);
  std::string_view latin1(std::string_view utf8);
  std::string_view keep(std::string text) { return out_.decoded_.emplace_back(std::move(text)); }
  void push_long(std::uint64_t width);
  std::int64_t decimal(std::string_view text) const;
  std::string unquoted(std::string_view quoted) const;
  std::string utf8_of_escapes(std::string_view text) const;
  void step_text(std::uint8_t opcode);
  void step_line(std::uint8_t opcode);

  std::string_view bytes_;
  Pickle& out_;
  std::size_t most_values_;
  std::uint64_t at_ = 0, opcode_at_ = 0, copied_ = 0;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, std::uint32_t> memo_;
  bool stopped_ = false;
};

}  // namespace facemae
