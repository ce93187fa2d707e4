#pragma once
// Encoded images by number, from a store, files or memory, and what a network sees of them.
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "data/image/align.h"
#include "data/store/store.h"

namespace facemae {

/// Const calls of all functions but keep() are safe from many threads.
struct ImageSet {
  std::size_t size = 0;
  bool stored = false;  ///< of a store: taken as they lie, as training does
  std::function<std::vector<std::byte>(std::size_t)> read;  ///< throws DataError or FileError
  std::function<std::string(std::size_t)> name;             ///< for messages and name lists
  /// Forgets all images but [first, last), where they are held in memory.
  std::function<void(std::size_t first, std::size_t last)> keep = [](std::size_t, std::size_t) {};
  /// The five points of a face in its picture of that size, by which it is aligned; none: the middle square.
  std::function<FacePoints(std::size_t i, int width, int height)> points = {};
  Hash128 contents = {};  ///< of what says which images these are: their names, rows or bytes
};
ImageSet images_of(std::shared_ptr<const Store> store, std::vector<std::uint64_t> rows);
/// `names` are what the files are called wherever they lie; `contents` is of them.
ImageSet images_of(std::vector<Path> files, const std::vector<std::string>& names);
ImageSet images_of(std::vector<Path> files);
ImageSet images_of(std::vector<std::vector<std::byte>> encoded);

/// Image i of the set, which was read, as network input, 112 x 112: upright, and aligned by its points or of another size
/// fitted by fit_square(). Throws DataError.
Image as_face(const ImageSet& images, std::size_t i, const std::vector<std::byte>& encoded, Decoder& decoder);

/// [first, last): the contiguous part of the images that a rank embeds, of at most ceil(size / ranks).
std::pair<std::size_t, std::size_t> own_images(const ImageSet& images, int rank, int ranks);
/// Forgets the images that other ranks embed.
void keep_own(const ImageSet& images, int rank, int ranks);

}  // namespace facemae
