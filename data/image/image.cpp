#include "data/image/image.h"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

/// Headers may lie: larger pictures are refused before memory is allocated.
constexpr std::int64_t kMostPixels = 1LL << 26;
/// A progressive JPEG may have millions of scans, each taking the time of a whole image: 500 are tolerated.
constexpr int kFlags = TJFLAG_LIMITSCANS;

const unsigned char* data_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Codec codec_of(Bytes encoded) {
  constexpr unsigned char png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  const auto* data = data_of(encoded);
  if (encoded.size() >= 3 && data[0] == 0xFF && data[1] == 0xD8 && data[2] == 0xFF) return Codec::Jpeg;
  if (encoded.size() >= sizeof png && std::memcmp(data, png, sizeof png) == 0) return Codec::Png;
  throw DataError(encoded.empty() ? "the image is empty (0 bytes)"
                                  : fmt::format("neither JPEG nor PNG ({} bytes)", encoded.size()));
}

void check_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width * height > kMostPixels)
    throw DataError(fmt::format("an image of {} x {} pixels is not accepted (at most {} pixels)", width,
                                height, kMostPixels));
}

/// A PNG whose header has been read. libpng requires png_image_free on every way out.
class PngReader {
 public:
  explicit PngReader(Bytes encoded) : PngReader() {  // so that the destructor runs if the body throws
    image_.version = PNG_IMAGE_VERSION;
    png_image_begin_read_from_memory(&image_, encoded.data(), encoded.size());
    check();
    check_size(image_.width, image_.height);
  }
  ~PngReader() { png_image_free(&image_); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  int width() const { return static_cast<int>(image_.width); }
  int height() const { return static_cast<int>(image_.height); }
  void read(std::uint8_t* out) {
    image_.format = PNG_FORMAT_RGB;
    image_.flags |=
        PNG_IMAGE_FLAG_16BIT_sRGB;  // else libpng takes 16 bits for linear light, as nobody else does
    const png_color black{0, 0, 0};
    png_image_finish_read(&image_, &black, out, 0, nullptr);
    check();
  }

 private:
  PngReader() = default;
  void check() const {
    if (image_.warning_or_error != 0) throw DataError(std::string("PNG: ") + image_.message);
  }
  png_image image_{};
};

}  // namespace

struct Decoder::Handles {
  Handles() { start(); }
  ~Handles() {
    if (jpeg != nullptr) tjDestroy(jpeg);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  void start() {
    jpeg = tjInitDecompress();
    if (jpeg == nullptr) throw Error(std::string("starting TurboJPEG: ") + tjGetErrorStr2(nullptr));
  }
  /// TurboJPEG returns -1 for warnings as well; it only warns about a truncated file, and fills in grey where
  /// data are missing.
  void check(int result) {
    if (result == 0) return;
    const std::string reason = tjGetErrorStr2(jpeg);
    // A handle that failed within a header keeps a half-read marker and would refuse the next, good image.
    tjDestroy(std::exchange(jpeg, nullptr));
    start();
    throw DataError("JPEG: " + reason);
  }
  Header jpeg_header(Bytes encoded, int& colours) {
    int subsampling = 0;
    return jpeg_header(encoded, colours, subsampling);
  }
  Header jpeg_header(Bytes encoded, int& colours, int& subsampling) {
    Header header{0, 0, Codec::Jpeg};
    check(tjDecompressHeader3(jpeg, data_of(encoded), encoded.size(), &header.width, &header.height,
                              &subsampling, &colours));
    check_size(header.width, header.height);
    return header;
  }
  void decode_jpeg(Bytes encoded, const Header& header, int colours, std::uint8_t* out) {
    if (colours != TJCS_CMYK && colours != TJCS_YCCK) {
      check(tjDecompress2(jpeg, data_of(encoded), encoded.size(), out, header.width, 0, header.height,
                          TJPF_RGB, kFlags));
      return;
    }
    // TurboJPEG returns CMYK only as CMYK. Adobe's files hold it inverted, and everybody reads it that way.
    const std::size_t pixels =
        static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height);
    cmyk.resize(pixels * 4);
    check(tjDecompress2(jpeg, data_of(encoded), encoded.size(), cmyk.data(), header.width, 0, header.height,
                        TJPF_CMYK, kFlags));
    for (std::size_t i = 0; i < pixels; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        out[i * 3 + c] = static_cast<std::uint8_t>((cmyk[i * 4 + c] * cmyk[i * 4 + 3] + 127) / 255);
  }

  tjhandle jpeg = nullptr;
  std::vector<std::uint8_t> cmyk, planes;
};

Decoder::Decoder() : handles_(std::make_unique<Handles>()) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;

Decoder::Header Decoder::header(Bytes encoded) {
  if (codec_of(encoded) == Codec::Png) {
    const PngReader png(encoded);
    return {png.width(), png.height(), Codec::Png};
  }
  int colours = 0;
  return handles_->jpeg_header(encoded, colours);
}

Image Decoder::decode(Bytes encoded) {
  const Header found = header(encoded);
  Image image{found.width, found.height, {}};
  image.pixels.resize(static_cast<std::size_t>(found.width) * static_cast<std::size_t>(found.height) * 3);
  decode_into(encoded, found.width, found.height, image.pixels);
  return image;
}

void Decoder::decode_into(Bytes encoded, int width, int height, std::span<std::uint8_t> out) {
  if (out.size() != static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3)
    throw Error(fmt::format("decoding {} x {} into a buffer of {} bytes", width, height, out.size()));
  const auto check_same = [&](int found_width, int found_height) {
    if (found_width != width || found_height != height)
      throw DataError(
          fmt::format("the image is {} x {}, expected {} x {}", found_width, found_height, width, height));
  };
  if (codec_of(encoded) == Codec::Png) {
    PngReader png(encoded);
    check_same(png.width(), png.height());
    png.read(out.data());
    return;
  }
  int colours = 0;
  const Header found = handles_->jpeg_header(encoded, colours);
  check_same(found.width, found.height);
  handles_->decode_jpeg(encoded, found, colours, out.data());
}

Decoder::Header Decoder::check(Bytes encoded, int width, int height) {
  const bool png = codec_of(encoded) == Codec::Png;
  int colours = 0, subsampling = 0;
  const Header found = png ? header(encoded) : handles_->jpeg_header(encoded, colours, subsampling);
  if (found.width != width || found.height != height) return found;
  auto& planes = handles_->planes;
  // Everything that can go wrong in such a JPEG does so before its planes are converted to RGB.
  const unsigned long needed = png || (colours != TJCS_YCbCr && colours != TJCS_GRAY)
                                   ? 0
                                   : tjBufSizeYUV2(width, 1, height, subsampling);
  if (needed == 0 || needed == static_cast<unsigned long>(-1)) {
    planes.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    decode_into(encoded, width, height, planes);
    return found;
  }
  planes.resize(needed);
  handles_->check(tjDecompressToYUV2(handles_->jpeg, data_of(encoded), encoded.size(), planes.data(), width,
                                     1, height, kFlags));
  return found;
}

namespace {

void check_pixels(const Image& image) {
  check_size(image.width, image.height);
  if (image.pixels.size() !=
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3)
    throw Error(fmt::format("encoding an image of {} x {} with {} bytes", image.width, image.height,
                            image.pixels.size()));
}

std::vector<std::byte> copy_of(const unsigned char* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  return {bytes, bytes + size};
}

}  // namespace

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  check_pixels(image);
  if (quality < 1 || quality > 100) throw Error(fmt::format("JPEG quality {} is not within 1..100", quality));
  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), tjDestroy);
  if (!encoder) throw Error(std::string("starting TurboJPEG: ") + tjGetErrorStr2(nullptr));
  const int subsampling = quality < 96 ? TJSAMP_420 : TJSAMP_444;
  std::vector<unsigned char> buffer(tjBufSize(image.width, image.height, subsampling));
  unsigned char* out = buffer.data();
  unsigned long size = buffer.size();
  if (tjCompress2(encoder.get(), image.pixels.data(), image.width, 0, image.height, TJPF_RGB, &out, &size,
                  subsampling, quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT) != 0)
    throw Error(std::string("encoding a JPEG: ") + tjGetErrorStr2(encoder.get()));
  return copy_of(out, size);
}

std::vector<std::byte> encode_png(const Image& image) {
  check_pixels(image);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  std::vector<unsigned char> buffer(PNG_IMAGE_PNG_SIZE_MAX(png));
  png_alloc_size_t size = buffer.size();
  if (png_image_write_to_memory(&png, buffer.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0)
    throw Error(std::string("encoding a PNG: ") + png.message);
  return copy_of(buffer.data(), size);
}

}  // namespace facemae
