#pragma once
// Times of day, for people and schedulers.
#include <cstdint>
#include <optional>
#include <string>

namespace facemae {

std::int64_t epoch_seconds();                                    ///< now
std::string utc_text(std::int64_t epoch_seconds);                ///< "2026-01-31T12:00:00Z"
std::optional<std::int64_t> parse_utc(const std::string& text);  ///< the same back

/// Seconds since 1970 of "2026-01-31T12:00:00" or "2026-01-31T12:00" (local time), "12:00" (its next
/// occurrence after `now`), or a number of seconds since 1970. Nothing for any other text.
std::optional<std::int64_t> parse_time(const std::string& text, std::int64_t now);

}  // namespace facemae
