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
/// Pickle protocols 2 to 5: bytes, Python-2 strings, numpy uint8 arrays, numpy bools. Throws DataError naming
/// the byte offset for anything else.
BinPack read_bin_pack(const Path& path);
BinPack parse_bin_pack(std::string_view bytes);

}  // namespace facemae
