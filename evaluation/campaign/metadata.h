#pragma once
// What files tell beside their pixels (A14): how many there are, how long, in which order, with which tables and names.
#include <cstdint>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "evaluation/campaign/measure.h"

namespace facemae {

/// Of a store's images and of its classes or people, in the order of a Target.
struct FileFacts {
  std::vector<std::uint64_t> bytes;   ///< [images] length of the encoded image
  std::vector<std::uint64_t> header;  ///< [images] header_digest()
  std::vector<std::string> names;     ///< [classes or people] "" where a store names nobody
};

/// Of all that stands before the coded pixels and describes them: quantisation and Huffman tables, comments,
/// application segments of a JPEG; chunks before the data of a PNG. 0 for anything else.
std::uint64_t header_digest(Bytes image);

struct MetadataFindings {
  std::vector<Measurement> measurements;
  struct Cue {
    std::string name;
    std::int64_t exact_links = 0;
  };
  /// Links that a cue gives away without doubt: right ones that nothing else ties with. 0 where a cue that tells
  /// nothing finds as many more often than once in 10,000 releases; so fewer than seven right ones are never told.
  std::vector<Cue> cues;
};
/// Throws ConfigError when facts and target are not of the same images.
MetadataFindings metadata_attack(const FileFacts& released, const FileFacts& real, const Target& target);

}  // namespace facemae
