#include "data/image/orientation.h"

#include <libexif/exif-data.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/error.h"
#include "data/image/jpeg_markers.h"

namespace facemae {
namespace {

constexpr std::string_view kMark("Exif\0\0", 6);  ///< before the block in a JPEG
constexpr std::size_t kMostExif = 1 << 20;

bool has_at(Bytes bytes, std::size_t at, std::string_view text) {
  return at <= bytes.size() && bytes.size() - at >= text.size() &&
         std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}
std::size_t four_bytes(Bytes bytes, std::size_t at, bool big_endian) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number = number << 8 | std::to_integer<std::size_t>(bytes[at + (big_endian ? i : 3 - i)]);
  return number;
}

Bytes exif_of_jpeg(Bytes encoded) {
  Bytes found;
  for_each_jpeg_segment(encoded, [&](unsigned marker, Bytes content) {
    if (marker == 0xE1 && has_at(content, 0, kMark)) found = content.subspan(kMark.size());
    return found.empty();
  });
  return found;
}

Bytes exif_of_png(Bytes encoded) {
  for (std::size_t at = 8; at + 12 <= encoded.size();) {
    const std::size_t length = four_bytes(encoded, at, true);
    if (length > encoded.size() - at - 12) break;
    if (has_at(encoded, at + 4, "eXIf")) return encoded.subspan(at + 8, length);
    at += 12 + length;
  }
  return {};
}

Bytes exif_of_webp(Bytes encoded) {
  for (std::size_t at = 12; at + 8 <= encoded.size();) {
    const std::size_t length = four_bytes(encoded, at + 4, false);
    if (length > encoded.size() - at - 8) break;
    if (has_at(encoded, at, "EXIF")) {
      const Bytes block = encoded.subspan(at + 8, length);
      return has_at(block, 0, kMark) ? block.subspan(kMark.size()) : block;
    }
    at += 8 + length + length % 2;
  }
  return {};
}

Bytes exif_of(Bytes encoded) {
  if (has_at(encoded, 0, "\xFF\xD8")) return exif_of_jpeg(encoded);
  if (has_at(encoded, 0, "\x89PNG")) return exif_of_png(encoded);
  if (has_at(encoded, 0, "RIFF") && has_at(encoded, 8, "WEBP")) return exif_of_webp(encoded);
  return {};
}

}  // namespace

int orientation_of(Bytes encoded) {
  const Bytes block = exif_of(encoded);
  if (block.empty() || block.size() > kMostExif) return 1;
  std::vector<unsigned char> marked(kMark.begin(), kMark.end());
  const auto* data = reinterpret_cast<const unsigned char*>(block.data());
  marked.insert(marked.end(), data, data + block.size());
  const std::unique_ptr<ExifData, void (*)(ExifData*)> exif(exif_data_new(), exif_data_unref);
  if (!exif) throw Error("starting libexif: out of memory");
  exif_data_unset_option(exif.get(), EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);  // as it is, nothing mended
  exif_data_load_data(exif.get(), marked.data(), static_cast<unsigned>(marked.size()));
  const ExifEntry* entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->components != 1) return 1;
  const ExifByteOrder order = exif_data_get_byte_order(exif.get());
  std::uint32_t value = 1;
  if (entry->format == EXIF_FORMAT_SHORT && entry->size >= 2) value = exif_get_short(entry->data, order);
  if (entry->format == EXIF_FORMAT_LONG && entry->size >= 4) value = exif_get_long(entry->data, order);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

Image turned(Image image, int orientation) {
  if (orientation == 1) return image;
  if (orientation < 1 || orientation > 8) throw Error("there are orientations 1 to 8");
  const bool mirrored_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8,
             mirrored_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7,
             on_its_side = orientation >= 5;
  const auto wide = static_cast<std::size_t>(image.width), high = static_cast<std::size_t>(image.height);
  Image upright{image.width, image.height, std::vector<std::uint8_t>(image.pixels.size())};
  if (on_its_side) std::swap(upright.width, upright.height);
  auto* out = upright.pixels.data();
  for (std::size_t y = 0; y < static_cast<std::size_t>(upright.height); ++y)
    for (std::size_t x = 0; x < static_cast<std::size_t>(upright.width); ++x) {
      const std::size_t across = on_its_side ? y : x, down = on_its_side ? x : y;
      const std::size_t from_x = mirrored_x ? wide - 1 - across : across,
                        from_y = mirrored_y ? high - 1 - down : down;
      out = std::copy_n(&image.pixels[(from_y * wide + from_x) * 3], 3, out);
    }
  return upright;
}

}  // namespace facemae
