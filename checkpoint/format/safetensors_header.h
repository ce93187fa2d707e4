#pragma once
// Reads the header of a safetensors file, which may come from anywhere. Free of LibTorch, so that a fuzzer
// can test it.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/files/files.h"

namespace facemae {

inline constexpr std::uint64_t kLargestSafetensorsHeader = 100'000'000;  ///< the reference reader's limit

struct SafetensorsEntry {
  std::string dtype;  ///< "F32"; a type whose size element_bytes() of layout.h knows
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< relative to the data start
};
struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
  std::uint64_t data_start = 0;
};

/// Reads and checks the header against the file's size; throws DataError (holes, overlaps, lengths, types).
SafetensorsHeader read_safetensors_header(const InputFile& file);

}  // namespace facemae
