#pragma once
// PNGs with libpng; encode_png() is in image.h.
#include <memory>
#include <span>

#include "data/image/image.h"

namespace facemae {

/// A PNG whose header has been read. Chunks that only describe the picture (profiles, texts, times) are passed
/// over unread, and faults in them borne; damage of those that hold pixels is an error. All throw DataError.
class PngReader {
 public:
  explicit PngReader(Bytes encoded);
  ~PngReader();
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ImageHeader header() const;
  /// Into the pixel_bytes() of the header: 16 bits scaled to 8, transparency over black, a gAMA chunk heeded.
  /// Once.
  void read(std::span<std::uint8_t> out);

  struct State;  ///< libpng's

 private:
  std::unique_ptr<State> state_;
};

}  // namespace facemae
