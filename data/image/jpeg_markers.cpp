#include "data/image/jpeg_markers.h"

namespace facemae {
namespace {

Subsampling subsampling_of(unsigned components, unsigned across, unsigned down) {
  if (components == 1) return Subsampling::Grey;
  if (components != 3) return Subsampling::Other;
  switch (across * 16 + down) {
    case 0x11:
      return Subsampling::S444;
    case 0x21:
      return Subsampling::S422;
    case 0x22:
      return Subsampling::S420;
    case 0x12:
      return Subsampling::S440;
    case 0x41:
      return Subsampling::S411;
    default:
      return Subsampling::Other;
  }
}

/// SOF0..SOF15 without DHT, JPG and DAC, which lie among them (ITU T.81, table B.1).
bool begins_frame(unsigned marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

}  // namespace

std::uint8_t encoding_flags(Bytes encoded) {
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(encoded[i]); };
  constexpr auto none = static_cast<std::uint8_t>(Subsampling::None);
  if (encoded.size() < 4 || at(0) != 0xFF || at(1) != 0xD8) return none;
  std::size_t i = 2;
  while (i + 4 <= encoded.size()) {
    if (at(i) != 0xFF) return none;
    const unsigned marker = at(i + 1);
    if (marker == 0xFF) {  // fill bytes may precede a marker
      ++i;
      continue;
    }
    if (begins_frame(marker)) {
      if (i + 12 > encoded.size()) return none;
      const bool progressive = marker == 0xC2 || marker == 0xC6 || marker == 0xCA || marker == 0xCE;
      const auto subsampling =
          static_cast<std::uint8_t>(subsampling_of(at(i + 9), at(i + 11) >> 4, at(i + 11) & 15));
      return static_cast<std::uint8_t>(subsampling | (progressive ? kFlagProgressive : 0));
    }
    i += 2 + at(i + 2) * 256 + at(i + 3);
  }
  return none;
}

}  // namespace facemae
