#pragma once
// What the RELEASE.md of a release of noisy codes says of differential privacy: what NIST SP 800-226 asks of a claim, and
// nothing beyond it.
#include <cstdint>
#include <optional>
#include <string>

namespace facemae {

/// A chapter of Markdown. `mu` as of noisy_mean() (trainer/rebuild/code_release.h), `width` of the code, `most_photos` that a
/// person has.
std::string privacy_notes(const std::optional<double>& mu, int width, std::uint64_t most_photos);

}  // namespace facemae
