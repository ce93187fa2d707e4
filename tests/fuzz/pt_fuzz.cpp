// Files of torch.save (checkpoint/pytorch/torch_archive.h). An input is such a file, or a pickle alone, which is then put
// into one.
#include <algorithm>

#include "checkpoint/pytorch/state_dict.h"
#include "checkpoint/pytorch/torch_archive.h"
#include "checkpoint/pytorch/torch_writer.h"
#include "core/error.h"
#include "tests/fuzz/target.h"
#include "tests/torch_files.h"

namespace facemae::fuzz {
namespace {

void read(std::string_view file) {
  TorchArchive archive(file, "input");
  for (const auto& [name, value] : state_dict_in(archive.content(), archive.name())) {
    const auto& tensor = archive.content().tensors.at(static_cast<std::size_t>(value->number));
    const auto& storage = archive.content().storages.at(tensor.storage);
    const std::uint64_t bytes = archive.bytes_of(storage);
    require(bytes <= file.size(), "a storage lies within the file");
    std::uint64_t last = static_cast<std::uint64_t>(tensor.first);
    for (std::size_t i = 0; i < tensor.shape.size() && tensor.values > 0; ++i)
      last += static_cast<std::uint64_t>((tensor.shape[i] - 1) * tensor.strides[i]);
    require(tensor.values == 0 || (last + 1) * width_of_type(storage.type) <= bytes,
            "a tensor lies within its storage");
    std::vector<std::byte> read(bytes);
    archive.read(storage, read);
  }
}

std::string written(const std::string& type, std::vector<std::int64_t> shape, std::size_t bytes) {
  test::MemoryFile file;
  const std::string values(bytes, 'v');
  write_torch_archive(file, {{"a", type, shape}, {"b", "U8", {3}}},
                      [&](std::size_t tensor) { return bytes_of(values).first(tensor == 0 ? bytes : 3); });
  return file.content;
}

}  // namespace

void parse(std::string_view input) {
  if (input.starts_with("PK")) return read(input);
  std::string storage(24, 's');
  read(test::zip_of({{"w/data.pkl", std::string(input)}, {"w/data/0", storage}}));
}

std::vector<std::string> seeds() {
  const std::string tensor = test::torch_dict({{"a", test::torch_tensor()}});
  return {written("F32", {2, 3}, 24),
          written("I64", {}, 8),
          written("BF16", {1, 300, 0}, 0),
          test::torch_file(tensor),
          test::torch_pickle(tensor),
          test::torch_pickle(
              test::torch_dict({{"state_dict", tensor}, {"hyper", "cargparse\nNamespace\n)\x81}b"}})),
          test::torch_pickle(
              test::torch_dict({{"a", test::torch_tensor({.first = 1, .shape = {4}, .strides = {0}})}}))};
}

/// libzip has buffers of its own: of a file's end, and of its directory.
std::size_t justified_allocation(std::size_t input_bytes) {
  return (std::size_t{256} << 10) + 1024 * input_bytes;
}

}  // namespace facemae::fuzz
