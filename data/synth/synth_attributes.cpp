#include "data/synth/synth_attributes.h"

#include <charconv>

#include "data/synth/synth.h"
#include "data/synth/synth_parameters.h"

namespace facemae {

std::optional<std::uint64_t> synth_identity(const std::string& name) {
  constexpr std::size_t kPrefix = 4;  // "syn-"
  std::uint64_t identity = 0;
  if (name.size() <= kPrefix) return {};
  const auto [end, code] = std::from_chars(name.data() + kPrefix, name.data() + name.size(), identity);
  if (code != std::errc() || synth_name(identity) != name) return {};
  return identity;
}

std::vector<std::pair<std::string, double>> synth_attributes(std::uint64_t seed, std::uint64_t identity) {
  const FaceIdentity who = draw_identity(seed, identity);
  const auto light = [](Rgb colour) { return (colour.r + colour.g + colour.b) / 3; };
  return {{"skin_light", who.skin_light},     {"skin_warm", who.skin_warm},
          {"hair_light", light(who.hair)},    {"long_hair", who.hair_length > 0 ? 1 : 0},
          {"beard", who.beard > 0 ? 1 : 0},   {"iris_light", light(who.iris)},
          {"face_width", who.half_width},     {"jaw_square", who.jaw_square},
          {"eye_distance", who.eye_distance}, {"brow_thick", who.brow_thick},
          {"nose_width", who.nose_width},     {"mouth_width", who.mouth_width}};
}

}  // namespace facemae
