#include "core/clock.h"

#include <charconv>
#include <ctime>

namespace facemae {
namespace {

/// Parses `text` by a strptime format, which must account for all of it.
bool fits(const std::string& text, const char* format, std::tm& fields) {
  const char* end = ::strptime(text.c_str(), format, &fields);
  return end != nullptr && *end == '\0';
}

}  // namespace

std::int64_t epoch_seconds() { return std::time(nullptr); }

std::string utc_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm fields{};
  gmtime_r(&time, &fields);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields);
  return text;
}

std::optional<std::int64_t> parse_utc(const std::string& text) {
  std::tm fields{};
  if (!fits(text, "%Y-%m-%dT%H:%M:%SZ", fields)) return {};
  return timegm(&fields);
}

std::optional<std::int64_t> parse_time(const std::string& text, std::int64_t now) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) return seconds;
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"}) {
    std::tm fields{};
    fields.tm_isdst = -1;
    if (fits(text, format, fields)) return std::mktime(&fields);
  }
  const std::time_t time = now;
  std::tm today{};
  localtime_r(&time, &today);
  std::tm fields = today;
  if (!fits(text, "%H:%M", fields)) return {};
  fields.tm_sec = 0;
  fields.tm_isdst = -1;
  const std::int64_t at = std::mktime(&fields);
  if (at > now) return at;
  ++fields.tm_mday;
  fields.tm_isdst = -1;
  return std::mktime(&fields);
}

}  // namespace facemae
