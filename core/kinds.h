#pragma once
// Tables of kinds: one row for each thing that users choose by name, from which options, help, checks and tests take
// their lists. A row is any struct with a `name` and a line of `help`.
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace facemae {

/// The row of a table that gives an enum's values their names.
template <class T>
struct Named {
  const char* name;
  T value;
  const char* help = "";
};

template <class Rows>
concept KindTable = requires(const Rows& rows) {
  std::string(std::begin(rows)->name);
  std::string(std::begin(rows)->help);
};

template <KindTable Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(std::distance(std::begin(rows), std::end(rows))));
  for (const auto& row : rows) names.emplace_back(row.name);
  return names;
}

/// The row of that name. Throws ConfigError with the nearest name; `doing` is "choosing the relation loss".
template <KindTable Rows>
const auto& row_of(const Rows& rows, std::string_view name, std::string_view doing) {
  for (const auto& row : rows)
    if (name == row.name) return row;
  throw ConfigError(std::string(doing) + ": \"" + std::string(name) + "\" is unknown" +
                    suggestion(name, names_of(rows)));
}

}  // namespace facemae
