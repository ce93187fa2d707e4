#pragma once
// InsightFace verification packs (.bin): a pickle of (list of encoded images, list of bools), read by a
// parser that cannot execute anything.
#include <cstddef>
#include <string>
#include <vector>

#include "core/files/files.h"

namespace facemae {

struct BinPack {
  std::vector<std::vector<std::byte>> images;  ///< pair i is images 2i, 2i+1
  std::vector<char> same;
};
/// Pickle protocols 0 to 5. Images are bytes, strings of Python 2, bytearrays, texts of latin-1 letters or one-dimensional
/// numpy arrays of uint8; answers are bools or numbers that are 0 or 1, in a list, a tuple or a numpy array. Throws
/// DataError for anything else, naming the byte offset and, where it is one, the image or answer, counted from 0.
BinPack read_bin_pack(const Path& path);
BinPack parse_bin_pack(std::string_view bytes);

}  // namespace facemae
