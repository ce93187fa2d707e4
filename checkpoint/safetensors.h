#pragma once
// The safetensors file format (docs/FORMATS.md): header of JSON, then raw little-endian tensors.
#include <torch/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"

namespace facemae {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

struct SafetensorsEntry {
  torch::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< relative to the data start
};
struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
  std::uint64_t data_start = 0;
};

/// "F32" and the like. Throws ConfigError naming the tensor for a type that the format has not.
std::string safetensors_type(torch::ScalarType type, const std::string& tensor);
/// The type of a name. Throws DataError for an unknown one.
torch::ScalarType torch_type(const std::string& name);

/// Header bytes for tensors laid out in the given order without holes; padded with spaces so that data start
/// at a multiple of `align`.
std::string safetensors_header(const NamedTensors& tensors,
                               const std::map<std::string, std::string>& metadata, std::size_t align = 4096);
/// Reads and checks the header against the file's size; throws DataError (holes, overlaps, lengths, types).
SafetensorsHeader read_safetensors_header(const InputFile& file);

/// A whole file, written durably; widest elements first, so that every tensor is aligned. Names are unique.
void write_safetensors(FileSystem& files, const Path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});
NamedTensors read_safetensors(const Path& path, std::map<std::string, std::string>* metadata = nullptr);

}  // namespace facemae
