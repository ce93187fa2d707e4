#pragma once
// The pickle in a file of torch.save: where its tensors lie, and the plain values around them. Nothing is executed:
// whatever is neither a tensor nor a plain value becomes an object without content, which harms nobody who does not want
// a tensor there.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/pytorch/torch_values.h"
#include "core/pickle/pickle.h"

namespace facemae {

/// What a tensor is a view of: a member "data/KEY" of the archive.
struct TorchStorage {
  std::string_view key;
  std::string_view type;     ///< by the name that safetensors has for it: "F32"
  std::uint64_t values = 0;  ///< that the member has
};
struct TorchTensor {
  std::size_t storage = 0;                   ///< index of TorchPickle::storages
  std::int64_t first = 0;                    ///< value of the storage
  std::vector<std::int64_t> shape, strides;  ///< values; a stride may be 0
  std::uint64_t values = 0;                  ///< product of the shape
};

struct TorchPickle {
  Pickle pickle;  ///< values of kind Storage and Tensor have an index of these as `number`
  std::vector<TorchStorage> storages;
  std::vector<TorchTensor> tensors;
};

/// Reads data.pkl of the file `from`, whose bytes must outlive the result. Every tensor lies within its storage. Throws
/// DataError naming byte, opcode and what was expected.
TorchPickle read_torch_pickle(std::string_view bytes, const std::string& from);

}  // namespace facemae
