#pragma once
// Puts together encoded pictures that our own encoders do not write: EXIF blocks, PNG chunks, BMPs.
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/checksum.h"

namespace facemae::encoded_pictures {

using Encoded = std::vector<std::byte>;

inline Encoded joined(const std::vector<Encoded>& parts) {
  Encoded all;
  for (const Encoded& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
inline Encoded text(const std::string& characters) {
  const Bytes bytes = bytes_of(characters);
  return {bytes.begin(), bytes.end()};
}
inline Encoded number(std::uint64_t value, std::size_t bytes, bool big_endian) {
  Encoded result;
  for (std::size_t i = 0; i < bytes; ++i)
    result.push_back(static_cast<std::byte>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
  return result;
}

/// An EXIF block with a maker's name and an orientation.
inline Encoded exif(unsigned orientation, bool big_endian = false) {
  const auto n = [&](std::uint64_t value, std::size_t bytes) { return number(value, bytes, big_endian); };
  return joined({text(big_endian ? "MM" : "II"), n(42, 2), n(8, 4), n(2, 2), n(0x10F, 2), n(2, 2), n(4, 4),
                 text("abc "), n(0x112, 2), n(3, 2), n(1, 4), n(orientation, 2), n(0, 2), n(0, 4)});
}
inline const std::string kExifMark("Exif\0\0", 6);

/// A JPEG with an APP1 segment of that content first.
inline Encoded with_app1(const Encoded& jpeg, const Encoded& content) {
  return joined({Encoded(jpeg.begin(), jpeg.begin() + 2), number(0xFFE1, 2, true),
                 number(content.size() + 2, 2, true), content, Encoded(jpeg.begin() + 2, jpeg.end())});
}
inline Encoded with_exif(const Encoded& jpeg, unsigned orientation, bool big_endian = false) {
  return with_app1(jpeg, joined({text(kExifMark), exif(orientation, big_endian)}));
}

/// The checksum behind `size` bytes at `at`: type and content of a chunk.
inline void put_checksum(Encoded& png, std::size_t at, std::size_t size) {
  const auto checksum = crc32(0, reinterpret_cast<const Bytef*>(png.data()) + at, static_cast<uInt>(size));
  const Encoded bytes = number(checksum, 4, true);
  std::copy(bytes.begin(), bytes.end(), png.begin() + static_cast<std::ptrdiff_t>(at + size));
}
inline Encoded chunk(const std::string& type, const Encoded& content) {
  Encoded result = joined({number(content.size(), 4, true), text(type), content, number(0, 4, true)});
  put_checksum(result, 4, 4 + content.size());
  return result;
}
/// A PNG with chunks between its header and its pixels.
inline Encoded with_chunks(const Encoded& png, const std::vector<Encoded>& chunks) {
  constexpr std::ptrdiff_t header = 8 + 12 + 13;
  return joined(
      {Encoded(png.begin(), png.begin() + header), joined(chunks), Encoded(png.begin() + header, png.end())});
}

/// A lossy or lossless WebP in the extended form, with an EXIF chunk.
inline Encoded webp_with_exif(const Encoded& webp, unsigned side, unsigned orientation) {
  const Encoded block = exif(orientation);
  const auto n = [](std::uint64_t value, std::size_t bytes) { return number(value, bytes, false); };
  const Encoded body =
      joined({text("WEBPVP8X"), n(10, 4), n(8, 4), n(side - 1, 3), n(side - 1, 3),
              Encoded(webp.begin() + 12, webp.end()), text("EXIF"), n(block.size(), 4), block});
  return joined({text("RIFF"), n(body.size(), 4), body});
}

/// A BMP with a header of 40 bytes; rows lie in `pixels` as in the file.
inline Encoded bmp(std::int64_t width, std::int64_t height, unsigned bits, unsigned compression,
                   const Encoded& masks, const Encoded& palette, const Encoded& pixels) {
  const auto n = [](std::int64_t value, std::size_t bytes) {
    return number(static_cast<std::uint64_t>(value), bytes, false);
  };
  const auto begin = static_cast<std::int64_t>(14 + 40 + masks.size() + palette.size());
  return joined({text("BM"), n(begin + static_cast<std::int64_t>(pixels.size()), 4), n(0, 4), n(begin, 4),
                 n(40, 4), n(width, 4), n(height, 4), n(1, 2), n(bits, 2), n(compression, 4), n(0, 20), masks,
                 palette, pixels});
}

}  // namespace facemae::encoded_pictures
