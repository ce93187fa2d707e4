#include "data/image/jpeg.h"

#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "data/image/image_kind.h"
#include "data/image/jpeg_markers.h"

namespace facemae {
namespace {

constexpr int kUnnamed = -1;  ///< a subsampling that TurboJPEG decodes, but has no name for

const unsigned char* data_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

struct JpegDecoder::Handle {
  Handle() { start(); }
  ~Handle() {
    if (jpeg != nullptr) tjDestroy(jpeg);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void start() {
    jpeg = tjInitDecompress();
    if (jpeg == nullptr) throw Error(std::string("starting TurboJPEG: ") + tjGetErrorStr2(nullptr));
  }
  /// Why a call failed, "" if it did not. TurboJPEG returns -1 for warnings as well; it only warns about a
  /// truncated file, and fills in grey where data are missing. A handle that failed within a header keeps a
  /// half-read marker and would refuse the next, good image.
  std::string fault_of(int result) {
    if (result == 0) return "";
    std::string fault = tjGetErrorStr2(jpeg);
    tjDestroy(std::exchange(jpeg, nullptr));
    start();
    return fault;
  }
  void check(int result) {
    if (const std::string fault = fault_of(result); !fault.empty()) throw DataError("JPEG: " + fault);
  }

  tjhandle jpeg = nullptr;
  int width = 0, height = 0, subsampling = 0, colours = 0;
  std::vector<std::uint8_t> cmyk, planes;
};

JpegDecoder::JpegDecoder() : handle_(std::make_unique<Handle>()) {}
JpegDecoder::~JpegDecoder() = default;

ImageHeader JpegDecoder::header(Bytes encoded) {
  Handle& of = *handle_;
  const std::string fault = of.fault_of(tjDecompressHeader3(
      of.jpeg, data_of(encoded), encoded.size(), &of.width, &of.height, &of.subsampling, &of.colours));
  if (!fault.empty()) {
    // Of 4:1:0 and the like, TurboJPEG decodes the pixels and has no name for the header alone.
    const auto frame = jpeg_frame(encoded);
    if (!frame || frame->components.size() < 3) throw DataError("JPEG: " + fault);
    of.width = frame->width, of.height = frame->height;
    of.subsampling = kUnnamed;
    of.colours = frame->components.size() == 4 ? TJCS_CMYK : TJCS_YCbCr;
  }
  check_size(of.width, of.height);
  return {of.width, of.height, Codec::Jpeg, false};
}

void JpegDecoder::decode(Bytes encoded, std::span<std::uint8_t> out) {
  Handle& of = *handle_;
  if (of.colours != TJCS_CMYK && of.colours != TJCS_YCCK) {
    of.check(tjDecompress2(of.jpeg, data_of(encoded), encoded.size(), out.data(), of.width, 0, of.height,
                           TJPF_RGB, kJpegFlags));
    return;
  }
  // TurboJPEG returns CMYK only as CMYK. Adobe's files hold it inverted, and everybody reads it that way.
  const std::size_t pixels = static_cast<std::size_t>(of.width) * static_cast<std::size_t>(of.height);
  of.cmyk.resize(pixels * 4);
  of.check(tjDecompress2(of.jpeg, data_of(encoded), encoded.size(), of.cmyk.data(), of.width, 0, of.height,
                         TJPF_CMYK, kJpegFlags));
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      out[i * 3 + c] = static_cast<std::uint8_t>((of.cmyk[i * 4 + c] * of.cmyk[i * 4 + 3] + 127) / 255);
}

bool JpegDecoder::check_planes(Bytes encoded) {
  Handle& of = *handle_;
  if (of.subsampling == kUnnamed || (of.colours != TJCS_YCbCr && of.colours != TJCS_GRAY)) return false;
  const unsigned long needed = tjBufSizeYUV2(of.width, 1, of.height, of.subsampling);
  if (needed == static_cast<unsigned long>(-1)) return false;
  of.planes.resize(needed);
  of.check(tjDecompressToYUV2(of.jpeg, data_of(encoded), encoded.size(), of.planes.data(), of.width, 1,
                              of.height, kJpegFlags));
  return true;
}

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
  const auto* bytes = reinterpret_cast<const std::byte*>(out);
  return {bytes, bytes + size};
}

}  // namespace facemae
