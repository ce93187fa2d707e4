#pragma once
// Writes the safetensors file format (docs/CHECKPOINT.md): a header in JSON, then raw little-endian tensors.
#include <torch/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/format/safetensors_header.h"

namespace facemae {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// "F32" and the like. Throws ConfigError naming the tensor for a type that the format lacks.
std::string safetensors_type(torch::ScalarType type, const std::string& tensor);
/// The type with this name. Throws DataError for an unknown one.
torch::ScalarType torch_type(const std::string& name);

/// The header's bytes for tensors laid out in the given order without holes, padded with spaces so that the
/// data start at a multiple of `align`.
std::string safetensors_header(const NamedTensors& tensors,
                               const std::map<std::string, std::string>& metadata, std::size_t align = 4096);

/// Writes a whole file durably; widest elements first, so that every tensor is aligned. Names are unique.
void write_safetensors(FileSystem& files, const Path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});
NamedTensors read_safetensors(const Path& path, std::map<std::string, std::string>* metadata = nullptr);

}  // namespace facemae
