#pragma once
// Reads and writes the tensors of PyTorch's own files (torch.save; .pt, .pth, .ckpt, .bin). Nothing in them is executed.
#include <torch/types.h>

#include <map>
#include <string>

#include "checkpoint/pytorch/torch_archive.h"
#include "checkpoint/tensors/safetensors.h"

namespace facemae {

/// An open file. A storage is read when a tensor of it is asked for first, once; its tensors share that memory, also with
/// those that outlive the file.
class TorchFile {
 public:
  /// As TorchArchive().
  explicit TorchFile(const Path& path) : archive_(path) {}

  const Pickle& pickle() const { return archive_.content().pickle; }
  const std::string& name() const { return archive_.name(); }
  /// A view of its storage, with its strides. `what` is for messages. Throws DataError when the value is no tensor.
  torch::Tensor tensor(const PickleValue& value, const std::string& what);
  /// Its shape alone.
  const std::vector<std::int64_t>& shape(const PickleValue& value, const std::string& what) const;
  /// The weights of a network (checkpoint/pytorch/state_dict.h).
  NamedTensors state_dict();

 private:
  const TorchTensor& place_of(const PickleValue& value, const std::string& what) const;

  TorchArchive archive_;
  std::map<std::string, torch::Tensor, std::less<>> memory_;  ///< by key: uint8 [bytes]
  double given_ = 0;                                          ///< bytes of all tensors that were asked for
};

/// Writes a state dict that torch.load(weights_only=True) reads, durably, in the given order.
void write_pytorch(FileSystem& files, const Path& path, const NamedTensors& tensors);

}  // namespace facemae
