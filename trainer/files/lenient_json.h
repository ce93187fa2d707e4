#pragma once
// Values of JSON lines and notes that a crash, a disk, another version or a hand may have left: what is
// missing, null, of another type or out of range is the fallback, never an exception.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>

namespace facemae {

/// `object[key]` when it is there and a T holds it, else `otherwise`; T is a whole number,
/// double or std::string.
template <class T>
T value_or(const nlohmann::json& object, const char* key, T otherwise) {
  if (!object.is_object()) return otherwise;
  const auto found = object.find(key);
  if (found == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, std::string>) {
    if (found->is_string()) return found->template get<std::string>();
  } else if constexpr (std::is_floating_point_v<T>) {
    if (found->is_number()) return found->template get<T>();
  } else if (found->is_number_unsigned()) {
    if (const auto value = found->template get<std::uint64_t>(); std::in_range<T>(value))
      return static_cast<T>(value);
  } else if (found->is_number_integer()) {
    if (const auto value = found->template get<std::int64_t>(); std::in_range<T>(value))
      return static_cast<T>(value);
  }
  return otherwise;
}

}  // namespace facemae
