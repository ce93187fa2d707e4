#include "data/image/jpeg_markers.h"

#include <array>

namespace facemae {
namespace {

unsigned byte_at(Bytes bytes, std::size_t i) { return std::to_integer<unsigned>(bytes[i]); }
unsigned two_bytes_at(Bytes bytes, std::size_t i) { return byte_at(bytes, i) * 256 + byte_at(bytes, i + 1); }

/// SOF0..SOF15 without DHT, JPG and DAC, which lie among them (ITU T.81, table B.1).
bool begins_frame(unsigned marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}
constexpr unsigned kScan = 0xDA;

}  // namespace

void for_each_jpeg_segment(Bytes encoded, const std::function<bool(unsigned, Bytes)>& take) {
  if (encoded.size() < 4 || byte_at(encoded, 0) != 0xFF || byte_at(encoded, 1) != 0xD8) return;
  std::size_t i = 2;
  while (i + 4 <= encoded.size()) {
    if (byte_at(encoded, i) != 0xFF) return;
    const unsigned marker = byte_at(encoded, i + 1);
    if (marker == 0xFF) {  // fill bytes may precede a marker
      ++i;
      continue;
    }
    const std::size_t length = two_bytes_at(encoded, i + 2);
    if (marker == kScan || length < 2 || length > encoded.size() - i - 2) return;
    if (!take(marker, encoded.subspan(i + 4, length - 2))) return;
    i += 2 + length;
  }
}

std::optional<JpegFrame> jpeg_frame(Bytes encoded) {
  std::optional<JpegFrame> frame;
  for_each_jpeg_segment(encoded, [&](unsigned marker, Bytes content) {
    if (!begins_frame(marker)) return true;
    const std::size_t components = content.size() < 6 ? 0 : byte_at(content, 5);
    if (components == 0 || content.size() < 6 + 3 * components) return false;
    frame.emplace();
    frame->marker = marker;
    frame->height = static_cast<int>(two_bytes_at(content, 1));
    frame->width = static_cast<int>(two_bytes_at(content, 3));
    for (std::size_t i = 0; i < components; ++i) {
      const unsigned factors = byte_at(content, 6 + 3 * i + 1);
      frame->components.push_back({factors >> 4, factors & 15});
    }
    return false;
  });
  return frame;
}

Subsampling JpegFrame::subsampling() const {
  if (components.size() == 1) return Subsampling::Grey;
  if (components.size() != 3) return Subsampling::Other;
  const auto [y, cb, cr] = std::array{components[0], components[1], components[2]};
  if (cb.across != cr.across || cb.down != cr.down || cb.across == 0 || cb.down == 0 ||
      y.across % cb.across != 0 || y.down % cb.down != 0)
    return Subsampling::Other;
  switch (y.across / cb.across * 16 + y.down / cb.down) {
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

std::uint8_t encoding_flags(Bytes encoded) {
  const auto frame = jpeg_frame(encoded);
  if (!frame) return static_cast<std::uint8_t>(Subsampling::None);
  const unsigned marker = frame->marker;
  const bool progressive = marker == 0xC2 || marker == 0xC6 || marker == 0xCA || marker == 0xCE;
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(frame->subsampling()) |
                                   (progressive ? kFlagProgressive : 0));
}

}  // namespace facemae
