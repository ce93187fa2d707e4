// The types of options: how a word becomes a value and back.
#include <charconv>
#include <cmath>
#include <type_traits>

#include "core/options/options.h"

namespace facemae {
namespace {

template <class T>
std::string parse_number(const std::string& word, T& value, const char* what) {
  T parsed{};
  const char* const last = word.data() + word.size();
  const auto [end, code] = std::from_chars(word.data(), last, parsed);
  if (end != last || code == std::errc::invalid_argument) return "\"" + word + "\" is not " + what;
  if (code == std::errc::result_out_of_range) return "\"" + word + "\" is out of range";
  if constexpr (std::is_floating_point_v<T>)  // "inf" and "nan" are numbers to from_chars
    if (!std::isfinite(parsed)) return "\"" + word + "\" is not finite";
  value = parsed;
  return "";
}

std::string print_double(double value) {
  char text[32];
  const auto [end, code] = std::to_chars(text, text + sizeof text, value);
  return {text, code == std::errc() ? end : text};
}

}  // namespace

OptionBinding OptionBinding::of(std::string& value) {
  return {[&value](const auto& words) { return value = words.front(), std::string(); },
          [&value] { return value.empty() ? std::vector<std::string>{} : std::vector{value}; },
          {},
          "TEXT"};
}
OptionBinding OptionBinding::of(bool& value) {
  return {[&value](const auto& words) -> std::string {
            const std::string& word = words.front();
            if (word != "yes" && word != "no") return "\"" + word + "\" is neither yes nor no";
            return value = word == "yes", "";
          },
          [&value] { return std::vector<std::string>{value ? "yes" : "no"}; },
          {},
          "yes|no"};
}
OptionBinding OptionBinding::of(int& value) {
  return {[&value](const auto& words) { return parse_number(words.front(), value, "a whole number"); },
          [&value] { return std::vector{std::to_string(value)}; },
          [&value] { return static_cast<double>(value); }, "N"};
}
OptionBinding OptionBinding::of(std::int64_t& value) {
  return {[&value](const auto& words) { return parse_number(words.front(), value, "a whole number"); },
          [&value] { return std::vector{std::to_string(value)}; },
          [&value] { return static_cast<double>(value); }, "N"};
}
OptionBinding OptionBinding::of(std::uint64_t& value) {
  return {[&value](const auto& words) {
            return parse_number(words.front(), value, "a whole number, 0 or greater");
          },
          [&value] { return std::vector{std::to_string(value)}; },
          [&value] { return static_cast<double>(value); }, "N"};
}
OptionBinding OptionBinding::of(double& value) {
  return {[&value](const auto& words) { return parse_number(words.front(), value, "a number"); },
          [&value] { return std::vector{print_double(value)}; }, [&value] { return value; }, "X"};
}
OptionBinding OptionBinding::of(std::vector<std::string>& value) {
  OptionBinding binding{[&value](const auto& words) { return value = words, std::string(); },
                        [&value] { return value; }, [&value] { return static_cast<double>(value.size()); },
                        "TEXT..."};
  binding.is_list = true;
  return binding;
}

}  // namespace facemae
