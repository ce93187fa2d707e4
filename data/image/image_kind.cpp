#include "data/image/image_kind.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kMostPixels = 1LL << 26;

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// What begins like this, `at` bytes from the start.
struct Sign {
  std::size_t at;
  std::string_view bytes;
  const char *what, *remedy;
};

constexpr const char* kConvert = "convert it to JPEG or PNG";
constexpr const char* kSave = "save the picture that is meant as JPEG or PNG";
constexpr const char* kUnpack = "unpack it first";
constexpr const char* kFetch = "it came instead of the picture; fetch that again";

constexpr Sign kBinaries[] = {
    {4, "ftypheic"sv, "a HEIC picture", kConvert},
    {4, "ftypheix"sv, "a HEIC picture", kConvert},
    {4, "ftyphevc"sv, "a HEIC picture", kConvert},
    {4, "ftyphevx"sv, "a HEIC picture", kConvert},
    {4, "ftypmif1"sv, "a HEIF picture", kConvert},
    {4, "ftypmsf1"sv, "a HEIF picture", kConvert},
    {4, "ftypavif"sv, "an AVIF picture", kConvert},
    {4, "ftypavis"sv, "an AVIF picture", kConvert},
    {4, "ftypcrx "sv, "a raw picture of a camera", kConvert},
    {4, "ftyp"sv, "a video", kSave},
    {0, "\x1A\x45\xDF\xA3"sv, "a video", kSave},
    {8, "AVI LIST"sv, "a video", kSave},
    {0, "GIF87a"sv, "a GIF picture", kConvert},
    {0, "GIF89a"sv, "a GIF picture", kConvert},
    {0, "II*\0"sv, "a TIFF or raw picture", kConvert},
    {0, "MM\0*"sv, "a TIFF or raw picture", kConvert},
    {0, "II+\0"sv, "a TIFF picture", kConvert},
    {0, "MM\0+"sv, "a TIFF picture", kConvert},
    {0, "\0\0\0\x0CjP  "sv, "a JPEG 2000 picture", kConvert},
    {0, "\xFF\x4F\xFF\x51"sv, "a JPEG 2000 picture", kConvert},
    {0, "\0\0\0\x0CJXL "sv, "a JPEG XL picture", kConvert},
    {0, "\xFF\x0A"sv, "a JPEG XL picture", kConvert},
    {0, "II\xBC\x01"sv, "a JPEG XR picture", kConvert},
    {0, "8BPS"sv, "a Photoshop picture", kConvert},
    {0, "\0\0\x01\0"sv, "an icon (ICO)", kConvert},
    {0, "P5\n"sv, "a PNM picture", kConvert},
    {0, "P6\n"sv, "a PNM picture", kConvert},
    {0, "qoif"sv, "a QOI picture", kConvert},
    {0, "%PDF"sv, "a PDF document", kConvert},
    {0, "PK\x03\x04"sv, "a zip archive", kUnpack},
    {0, "PK\x05\x06"sv, "an empty zip archive", kUnpack},
    {0, "\x1F\x8B"sv, "a gzip file", kUnpack},
    {0, "Rar!"sv, "a RAR archive", kUnpack},
    {0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive", kUnpack},
    {257, "ustar"sv, "a tar archive", kUnpack},
};
/// In lower case, after blanks.
constexpr Sign kTexts[] = {
    {0, "version https://git-lfs"sv, "a pointer of Git LFS", "git lfs pull fetches the picture"},
    {0, "<!doctype html"sv, "an HTML page", kFetch},
    {0, "<html"sv, "an HTML page", kFetch},
    {0, "<head"sv, "an HTML page", kFetch},
    {0, "<svg"sv, "an SVG drawing", kConvert},
    {0, "<?xml"sv, "an XML file", kFetch},
    {0, "{\""sv, "a JSON text", kFetch},
};

template <std::size_t n>
const Sign* find(const Sign (&signs)[n], std::string_view bytes) {
  const auto* found = std::ranges::find_if(signs, [&](const Sign& sign) {
    return bytes.size() > sign.at && bytes.substr(sign.at).starts_with(sign.bytes);
  });
  return found == std::end(signs) ? nullptr : found;
}

std::string what_else(std::string_view bytes) {
  if (bytes.empty()) return "the image is empty (0 bytes)";
  std::string text(bytes.substr(0, 64));
  text.erase(0, text.find_first_not_of("\xEF\xBB\xBF \t\r\n"));
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const Sign* sign = find(kBinaries, bytes);
  if (sign == nullptr) sign = find(kTexts, text);
  if (sign != nullptr) return fmt::format("{} ({} bytes): {}", sign->what, bytes.size(), sign->remedy);
  if (bytes.find_first_not_of('\0') == bytes.npos)
    return fmt::format("nothing but zeros ({} bytes): it was copied in part; fetch it again", bytes.size());
  return fmt::format("neither JPEG nor PNG, WebP or BMP ({} bytes)", bytes.size());
}

}  // namespace

Codec codec_of(Bytes encoded) {
  const std::string_view bytes = text_of(encoded);
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) return Codec::Jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return Codec::Png;
  if (bytes.starts_with("RIFF"sv) && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP"sv) return Codec::Webp;
  // "BM" also begins texts: the size of the second header is one that BMPs have.
  if (bytes.starts_with("BM"sv) && bytes.size() >= 18 && bytes.substr(15, 3) == "\0\0\0"sv) return Codec::Bmp;
  throw DataError(what_else(bytes));
}

void check_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMostPixels / height)
    throw DataError(fmt::format("an image of {} x {} pixels is not accepted (at most {} pixels)", width,
                                height, kMostPixels));
}

void check_pixels(const Image& image) {
  check_size(image.width, image.height);
  if (image.pixels.size() != pixel_bytes(image.width, image.height))
    throw Error(fmt::format("encoding an image of {} x {} with {} bytes", image.width, image.height,
                            image.pixels.size()));
}

}  // namespace facemae
