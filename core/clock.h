#pragma once
// Reads and writes times of day as people and schedulers use them.
#include <cstdint>
#include <optional>
#include <string>

namespace facemae {

std::int64_t epoch_seconds();                                    ///< now
std::string utc_text(std::int64_t epoch_seconds);                ///< "2026-01-31T12:00:00Z"
std::optional<std::int64_t> parse_utc(const std::string& text);  ///< the inverse

/// Seconds since 1970 for "2026-01-31T12:00:00" or "2026-01-31T12:00" (local time), for "12:00" (its next
/// occurrence after `now`) or for a number of seconds since 1970. Nothing for any other text.
std::optional<std::int64_t> parse_time(const std::string& text, std::int64_t now);

}  // namespace facemae
