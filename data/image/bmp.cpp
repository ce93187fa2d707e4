#include "data/image/bmp.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/error.h"
#include "core/log.h"
#include "data/image/image_kind.h"

namespace facemae {
namespace {

/// Compressions.
constexpr std::uint32_t kPlain = 0, kRuns8 = 1, kRuns4 = 2, kMasks = 3, kMasksWithAlpha = 6;

struct Bmp {
  int width = 0, height = 0;
  bool top_down = false;
  unsigned bits = 0;  ///< of a pixel
  std::uint32_t compression = kPlain;
  std::array<std::uint32_t, 3> masks{};  ///< of red, green and blue in 16 and 32 bits
  std::array<std::array<std::uint8_t, 3>, 256> palette{};
  Bytes pixels;
  std::size_t row_bytes() const { return (static_cast<std::size_t>(width) * bits + 31) / 32 * 4; }
};

[[noreturn]] void refuse(const std::string& why) { throw DataError("BMP: " + why); }
[[noreturn]] void refuse_end() { refuse("the file ends within the picture"); }

std::uint8_t byte_of(Bytes bytes, std::size_t at) {
  if (at >= bytes.size()) refuse_end();
  return std::to_integer<std::uint8_t>(bytes[at]);
}
/// Little-endian.
std::uint32_t number_of(Bytes bytes, std::size_t at, std::size_t size) {
  std::uint32_t number = 0;
  for (std::size_t i = size; i-- > 0;) number = number << 8 | byte_of(bytes, at + i);
  return number;
}

bool has_runs(const Bmp& bmp) { return bmp.compression == kRuns8 || bmp.compression == kRuns4; }
bool has_masks(const Bmp& bmp) { return bmp.compression == kMasks || bmp.compression == kMasksWithAlpha; }

/// Throws for what no BMP of the usual kinds is.
void check_kind(const Bmp& bmp) {
  const unsigned bits = bmp.bits;
  const bool known = bmp.compression == kPlain ||
                     (has_runs(bmp) && bits == (bmp.compression == kRuns8 ? 8u : 4u) && !bmp.top_down) ||
                     (has_masks(bmp) && (bits == 16 || bits == 32));
  if (!known)
    refuse(fmt::format("compression {} with {} bits per pixel is not known; convert it to PNG",
                       bmp.compression, bits));
  if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
    refuse(fmt::format("{} bits per pixel are not known", bits));
}

Bmp parse(Bytes encoded) {
  Bmp bmp;
  const std::uint32_t begin = number_of(encoded, 10, 4), header = number_of(encoded, 14, 4);
  const bool old = header == 12;  // OS/2's: smaller numbers
  if (!old && header < 40)
    refuse(fmt::format("a header of {} bytes is not known; convert it to PNG", header));
  bmp.width = static_cast<int>(number_of(encoded, 18, old ? 2 : 4));
  const auto height = old ? static_cast<std::int64_t>(number_of(encoded, 20, 2))
                          : static_cast<std::int32_t>(number_of(encoded, 22, 4));
  bmp.top_down = height < 0;
  check_size(bmp.width, std::abs(height));
  bmp.height = static_cast<int>(std::abs(height));
  bmp.bits = number_of(encoded, old ? 24 : 28, 2);
  if (!old) bmp.compression = number_of(encoded, 30, 4);
  check_kind(bmp);
  if (bmp.bits == 16) bmp.masks = {0x7C00, 0x03E0, 0x001F};
  if (bmp.bits == 32) bmp.masks = {0xFF0000, 0x00FF00, 0x0000FF};
  if (has_masks(bmp))
    for (std::size_t i = 0; i < 3; ++i) bmp.masks[i] = number_of(encoded, 54 + 4 * i, 4);
  if (bmp.bits <= 8) {
    const std::size_t at = 14 + std::size_t{header}, entry = old ? 3 : 4;
    const std::size_t most =
        std::min<std::size_t>(std::size_t{1} << bmp.bits, begin < at ? 0 : (begin - at) / entry);
    for (std::size_t i = 0; i < most; ++i)
      for (std::size_t c = 0; c < 3; ++c) bmp.palette[i][c] = byte_of(encoded, at + i * entry + 2 - c);
  }
  if (begin > encoded.size()) refuse_end();
  bmp.pixels = encoded.subspan(begin);
  if (!has_runs(bmp) && bmp.pixels.size() / bmp.row_bytes() < static_cast<std::size_t>(bmp.height))
    refuse_end();
  return bmp;
}

/// The palette's positions, [height, width] from the lowest row on, of runs: pairs of bytes.
std::vector<std::uint8_t> unrolled(const Bmp& bmp) {
  const auto width = static_cast<std::size_t>(bmp.width), height = static_cast<std::size_t>(bmp.height);
  std::vector<std::uint8_t> result(width * height);
  const bool nibbles = bmp.compression == kRuns4;
  std::size_t x = 0, y = 0, at = 0;
  const auto put = [&](std::uint8_t pair, std::size_t i) {
    if (x >= width || y >= height) refuse("a run leaves the picture");
    result[y * width + x++] = !nibbles ? pair : i % 2 == 0 ? pair >> 4 : pair & 15;
  };
  while (y + 1 < height || (y + 1 == height && x < width)) {
    const std::size_t count = byte_of(bmp.pixels, at);
    const std::uint8_t value = byte_of(bmp.pixels, at + 1);
    at += 2;
    if (count > 0) {
      for (std::size_t i = 0; i < count; ++i) put(value, i);
    } else if (value == 0) {
      x = 0, ++y;
    } else if (value == 1) {
      if (y + 1 < height) refuse_end();
      break;
    } else if (value == 2) {
      x += byte_of(bmp.pixels, at), y += byte_of(bmp.pixels, at + 1);
      at += 2;
      if (x > width || y >= height) refuse("a run leaves the picture");
    } else {
      for (std::size_t i = 0; i < value; ++i) put(byte_of(bmp.pixels, at + (nibbles ? i / 2 : i)), i);
      const std::size_t bytes = nibbles ? (value + 1) / 2 : value;
      at += bytes + bytes % 2;
    }
  }
  return result;
}

std::uint8_t masked(std::uint32_t pixel, std::uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  const std::uint64_t most = mask >> shift, value = (pixel & mask) >> shift;
  return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
}

std::array<std::uint8_t, 3> pixel_of(const Bmp& bmp, Bytes row, std::size_t x) {
  const std::size_t bytes = bmp.bits / 8;
  if (bmp.bits == 24) return {byte_of(row, x * 3 + 2), byte_of(row, x * 3 + 1), byte_of(row, x * 3)};
  if (bmp.bits > 8) {
    const std::uint32_t pixel = number_of(row, x * bytes, bytes);
    return {masked(pixel, bmp.masks[0]), masked(pixel, bmp.masks[1]), masked(pixel, bmp.masks[2])};
  }
  const std::size_t bit = x * bmp.bits;
  const unsigned shift = 8 - bmp.bits - static_cast<unsigned>(bit % 8);
  return bmp.palette[byte_of(row, bit / 8) >> shift & ((1u << bmp.bits) - 1)];
}

}  // namespace

ImageHeader bmp_header(Bytes encoded) {
  const Bmp bmp = parse(encoded);
  return {bmp.width, bmp.height, Codec::Bmp, true};
}

void decode_bmp(Bytes encoded, std::span<std::uint8_t> out) {
  Bmp bmp = parse(encoded);
  if (out.size() != pixel_bytes(bmp.width, bmp.height))
    throw Error(fmt::format("reading a BMP into {} bytes", out.size()));
  std::vector<std::uint8_t> positions;
  std::size_t row_bytes = bmp.row_bytes();
  if (has_runs(bmp)) {
    positions = unrolled(bmp);
    bmp.pixels = std::as_bytes(std::span(positions));
    bmp.bits = 8;
    row_bytes = static_cast<std::size_t>(bmp.width);
  }
  const auto width = static_cast<std::size_t>(bmp.width), height = static_cast<std::size_t>(bmp.height);
  for (std::size_t y = 0; y < height; ++y) {
    const Bytes row = bmp.pixels.subspan((bmp.top_down ? y : height - 1 - y) * row_bytes, row_bytes);
    for (std::size_t x = 0; x < width; ++x)
      std::ranges::copy(pixel_of(bmp, row, x),
                        out.begin() + static_cast<std::ptrdiff_t>((y * width + x) * 3));
  }
}

}  // namespace facemae
