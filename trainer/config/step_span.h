#pragma once
// Steps A to B of a run, as --profile-steps names them.
#include <cstdint>
#include <optional>
#include <string>

namespace facemae {

/// Both ends belong to it; steps count from 1.
struct StepSpan {
  std::uint64_t first = 1, last = 1;
  bool operator==(const StepSpan&) const = default;
};

/// "A-B" with 1 <= A <= B, or "A" alone; nothing when it is neither.
std::optional<StepSpan> step_span(const std::string& text);

}  // namespace facemae
