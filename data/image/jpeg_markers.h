#pragma once
// Reads the markers of JPEGs without decoding: their segments, the frame header, and the flags byte of a stored
// image, which says how it is encoded. Pure.
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/checksum.h"

namespace facemae {

/// Bits of /index/flags. The lowest three hold a Subsampling.
inline constexpr std::uint8_t kFlagSubsampling = 0x07;
inline constexpr std::uint8_t kFlagProgressive = 0x08;
inline constexpr std::uint8_t kFlagReencoded = 0x10;  ///< made at packing: not the bytes of the source
enum class Subsampling : std::uint8_t {
  S444 = 0,
  S422 = 1,
  S420 = 2,
  Grey = 3,
  S440 = 4,
  S411 = 5,
  Other = 6,
  None = 7
};

/// Hands over the segments before the first scan, in order: the second byte of the marker, and the content
/// behind its length. Ends when `take` returns false, at the end, and where markers are damaged.
void for_each_jpeg_segment(Bytes encoded, const std::function<bool(unsigned marker, Bytes content)>& take);

/// A frame header (ITU T.81, B.2.2).
struct JpegFrame {
  struct Component {
    unsigned across, down;  ///< sampling factors
  };
  unsigned marker = 0;
  int width = 0, height = 0;
  std::vector<Component> components;
  Subsampling subsampling() const;  ///< by how many times Y has more samples than Cb and Cr
};
/// nullopt for anything but a JPEG with a whole frame header before its first scan.
std::optional<JpegFrame> jpeg_frame(Bytes encoded);

/// Subsampling and kFlagProgressive of a JPEG; Subsampling::None for anything else.
std::uint8_t encoding_flags(Bytes encoded);

}  // namespace facemae
