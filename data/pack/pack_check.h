#pragma once
// Checks images before they go into a store: each is decoded once, and any error or warning rejects it.
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/image/image.h"
#include "data/source/source.h"
#include "data/store/shard_reader.h"

namespace facemae {

/// An image that cannot be used. `reason` begins with its kind: "does not decode: ...", "another size: ...",
/// "not upright: ..." or "cannot be read: ...".
struct Reject {
  std::uint64_t entry = 0;  ///< of the catalogue
  std::string reason;
};
std::string kind_of_reject(const std::string& reason);  ///< the part before the colon

/// One image, checked by decoding it.
struct PreparedImage {
  std::vector<std::byte> bytes;  ///< as in the source unless re-encoded
  std::uint8_t flags = 0;        ///< jpeg_markers.h
  std::string reject;            ///< why it cannot be used, "" if it can
};

/// Reads an entry's bytes (archives() == 0 only). Throws DataError when the image itself is at fault:
/// damaged, missing, not readable by us. Failing reads are retried; FileError when they fail for longer than
/// `patience`, which says nothing about the image.
std::vector<std::byte> read_entry(const ImageSource& source, std::uint64_t entry, const ReadPolicy& patience);

/// One per thread.
class ImageChecker {
 public:
  /// Images of another size than image_size x image_size, and those that an EXIF orientation turns, are
  /// rejected, or with `resize` re-encoded. WebP and BMP of the right size become PNG.
  ImageChecker(int image_size, bool resize) : image_size_(image_size), resize_(resize) {}
  PreparedImage check(std::vector<std::byte> encoded);
  /// Reads it with read_entry, whose DataError makes a reject.
  PreparedImage read(const ImageSource& source, std::uint64_t entry, const ReadPolicy& patience);

 private:
  /// Upright, of the right size, encoded as encode_again() does.
  void make_again(PreparedImage& image, const Decoder::Header& source);
  int image_size_;
  bool resize_;
  Decoder decoder_;
};

/// Reads and checks entries on several threads, including the calling one; the result is in
/// their order. Throws FileError like read_entry. `after_each` is called on the calling
/// thread with the number of images done since the last call; when it returns false, the rest
/// is left undone.
std::vector<PreparedImage> check_entries(const ImageSource& source, const std::vector<std::uint64_t>& entries,
                                         int image_size, bool resize, int threads, const ReadPolicy& patience,
                                         const std::function<bool(std::uint64_t)>& after_each);

}  // namespace facemae
