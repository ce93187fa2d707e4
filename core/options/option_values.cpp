// The types of options: how a word becomes a value and back.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "core/options/options.h"
#include "core/text.h"

namespace facemae {
namespace {

/// What may have been meant by a word that is not a number.
std::string hint(const std::string& word, bool whole) {
  if (std::any_of(word.begin(), word.end(), [](char c) { return static_cast<signed char>(c) < 0; }))
    return ": it has a letter beyond ASCII, perhaps a longer minus sign";
  if (word != trim(word)) return ": there are blanks around it";
  if (word.find_first_of(",_' ") != word.npos)
    return whole ? ": write it without separators"
                 : ": the decimal sign is a point, and nothing separates the thousands";
  double number = 0;
  const char* const last = word.data() + word.size();
  const auto [end, code] = std::from_chars(word.data(), last, number);
  if (!whole || end != last || code != std::errc() || number != std::floor(number) || number < 0 ||
      number > 1e15)
    return "";
  return ": write " + std::to_string(static_cast<std::int64_t>(number));
}

template <class T>
std::string parse_number(const std::string& word, T& value, const char* what) {
  T parsed{};
  const char* const last = word.data() + word.size();
  const auto [end, code] = std::from_chars(word.data(), last, parsed);
  if (end != last || code == std::errc::invalid_argument)
    return "\"" + word + "\" is not " + what + hint(word, std::is_integral_v<T>);
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
OptionBinding OptionBinding::of(std::vector<double>& value) {
  OptionBinding binding{[&value](const auto& words) -> std::string {
                          std::vector<double> numbers(words.size());
                          for (std::size_t i = 0; i < words.size(); ++i) {
                            if (words[i].find(',') != std::string::npos)
                              return "\"" + words[i] +
                                     "\" is not a number: blanks part the numbers of a list";
                            std::string fault = parse_number(words[i], numbers[i], "a number");
                            if (!fault.empty()) return fault;
                          }
                          return value = std::move(numbers), "";
                        },
                        [&value] {
                          std::vector<std::string> words(value.size());
                          std::transform(value.begin(), value.end(), words.begin(), print_double);
                          return words;
                        },
                        [&value] { return static_cast<double>(value.size()); }, "X..."};
  binding.is_list = true;
  return binding;
}

}  // namespace facemae
