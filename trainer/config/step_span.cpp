#include "trainer/config/step_span.h"

#include <charconv>

namespace facemae {

std::optional<StepSpan> step_span(const std::string& text) {
  StepSpan span;
  const char *at = text.data(), *end = text.data() + text.size();
  const auto first = std::from_chars(at, end, span.first);
  if (first.ec != std::errc()) return {};
  span.last = span.first;
  if (first.ptr != end) {
    if (*first.ptr != '-') return {};
    const auto last = std::from_chars(first.ptr + 1, end, span.last);
    if (last.ec != std::errc() || last.ptr != end) return {};
  }
  if (span.first < 1 || span.last < span.first) return {};
  return span;
}

}  // namespace facemae
