#include "checkpoint/tensors/pytorch.h"

#include <torch/torch.h>

#include "checkpoint/pytorch/state_dict.h"
#include "checkpoint/pytorch/torch_writer.h"
#include "checkpoint/tensors/state.h"
#include "core/error.h"
#include "core/log.h"

namespace facemae {

const TorchTensor& TorchFile::place_of(const PickleValue& value, const std::string& what) const {
  if (value.kind != PickleValue::Kind::Tensor)
    throw DataError(fmt::format("reading {}: {} is {} where a tensor should be; nothing of it was executed",
                                archive_.name(), what, told(value)));
  return archive_.content().tensors[static_cast<std::size_t>(value.number)];
}

const std::vector<std::int64_t>& TorchFile::shape(const PickleValue& value, const std::string& what) const {
  return place_of(value, what).shape;
}

torch::Tensor TorchFile::tensor(const PickleValue& value, const std::string& what) {
  // Views with strides of 0 may be larger than all that is stored, and are written out in full by whoever uses them.
  constexpr double kMostOfFile = 16;
  const TorchTensor& entry = place_of(value, what);
  const TorchStorage& storage = archive_.content().storages[entry.storage];
  given_ += static_cast<double>(entry.values * width_of_type(storage.type));
  if (given_ > kMostOfFile * static_cast<double>(archive_.file_bytes()))
    throw DataError(fmt::format(
        "reading {}: with {}, views are expanded to more than {} times the bytes of the file; in PyTorch, save tensor.clone() "
        "instead of such views",
        archive_.name(), what, kMostOfFile));
  auto memory = memory_.find(storage.key);
  const std::uint64_t bytes = archive_.bytes_of(storage);
  if (memory == memory_.end()) {
    auto all = torch::empty({static_cast<std::int64_t>(bytes)}, torch::kUInt8);
    archive_.read(storage, {static_cast<std::byte*>(all.mutable_data_ptr()), bytes});
    memory = memory_.emplace(storage.key, std::move(all)).first;
  }
  return torch::empty({0}, torch::TensorOptions().dtype(torch_type(std::string(storage.type))))
      .set_(memory->second.storage(), entry.first, entry.shape, entry.strides);
}

NamedTensors TorchFile::state_dict() {
  NamedTensors tensors;
  for (const auto& [name, value] : state_dict_in(archive_.content(), archive_.name()))
    tensors.emplace_back(name, tensor(*value, "\"" + name + "\""));
  return tensors;
}

void write_pytorch(FileSystem& files, const Path& path, const NamedTensors& tensors) {
  std::vector<PlainTensor> plain;
  for (const auto& [name, value] : tensors)
    plain.push_back({name, safetensors_type(value.scalar_type(), name), value.sizes().vec()});
  torch::Tensor held;
  write_output(files, path, [&](OutputFile& out) {
    write_torch_archive(out, plain, [&](std::size_t i) {
      held = tensors[i].second.detach().cpu().contiguous();
      return bytes_of(held);
    });
  });
}

}  // namespace facemae
