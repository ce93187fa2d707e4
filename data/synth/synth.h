#pragma once
// Renders procedural faces: enough structure for identities to be learnt, yet nobody's face. Deterministic in
// (seed, identity, image) on every machine.
#include <cstdint>
#include <string>

#include "data/image/image.h"

namespace facemae {

inline constexpr int kSynthSize = 112;

/// One face: the identity fixes at least 24 parameters, the image the nuisance (pose, expression, light,
/// background, blur, noise, occlusion). 112 x 112, anti-aliased, aligned like the ArcFace template.
Image render_face(std::uint64_t seed, std::uint64_t identity, std::uint64_t image);
/// "syn-0000123": names of synthetic identities are global.
std::string synth_name(std::uint64_t identity);

}  // namespace facemae
