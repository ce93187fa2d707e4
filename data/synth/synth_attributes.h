#pragma once
// What can be said of a synthetic person: attributes that a release must not give away, known exactly.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace facemae {

/// "syn-0000123" (data/synth/synth.h) -> 123; nothing for other names.
std::optional<std::uint64_t> synth_identity(const std::string& name);

/// Attributes of an identity by name, always the same ones in the same order: of the skin, the hair, the beard and
/// the shape of the face. beard and long_hair are 0 or 1.
std::vector<std::pair<std::string, double>> synth_attributes(std::uint64_t seed, std::uint64_t identity);

}  // namespace facemae
