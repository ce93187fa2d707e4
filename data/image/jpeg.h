#pragma once
// JPEGs with TurboJPEG, in any subsampling that libjpeg knows; encode_jpeg() is in image.h.
#include <turbojpeg.h>

#include <memory>
#include <span>

#include "data/image/image.h"

namespace facemae {

/// Of TurboJPEG, for everything that is decoded: a progressive JPEG may have millions of scans, each taking the
/// time of a whole image, so 500 are tolerated; and since a warning counts as an error, the first one ends it.
inline constexpr int kJpegFlags = TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING;

/// Bytes must begin as a JPEG does. All throw DataError; a warning (truncated data) counts as an error, and so
/// do more than 500 scans.
class JpegDecoder {
 public:
  JpegDecoder();
  ~JpegDecoder();
  /// The bytes that the next calls are about.
  ImageHeader header(Bytes encoded);
  /// Into pixel_bytes() of the header() that was read last, of the same bytes.
  void decode(Bytes encoded, std::span<std::uint8_t> out);
  /// The same up to the point where colours are converted, before which all errors show. False if these
  /// have to be seen by decode().
  bool check_planes(Bytes encoded);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace facemae
