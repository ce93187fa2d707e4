#pragma once
// Helps with text: nearest names for error messages, human-readable sizes and times.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace facemae {

/// The candidate with the smallest edit distance, or "" when none is near (when more than a third of
/// the letters differ).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
/// ": did you mean X?" for the nearest name, else ": one of A, B, C".
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

std::string human_bytes(std::uint64_t bytes);  ///< "1.5 GiB"
std::string human_seconds(double seconds);     ///< "2 h 05 min", "3 min 20 s", "4.2 s"
std::string human_count(std::uint64_t count);  ///< "42,474,557"
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string trim(std::string_view text);

}  // namespace facemae
