#pragma once
// Writes a file that torch.load() of PyTorch reads, also with weights_only=True: a state dict of plain tensors. The same
// tensors give the same bytes.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/files.h"

namespace facemae {

struct PlainTensor {
  std::string name;
  std::string type;  ///< by the name that safetensors has for it: "F32"
  std::vector<std::int64_t> shape;
};

/// `bytes` gives those of a tensor in C order, which stay until it is asked for the next. Throws ConfigError for a type
/// that torch.save does not know.
void write_torch_archive(OutputFile& out, const std::vector<PlainTensor>& tensors,
                         const std::function<Bytes(std::size_t tensor)>& bytes);

}  // namespace facemae
