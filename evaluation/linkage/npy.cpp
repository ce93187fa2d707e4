#include "evaluation/linkage/npy.h"

#include <torch/torch.h>

#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/formats/npy_header.h"

namespace facemae {
void write_npy(FileSystem& files, const Path& path, const torch::Tensor& array) {
  const bool integers = array.scalar_type() == torch::kInt64;
  if (!integers && array.scalar_type() != torch::kFloat32)
    throw ConfigError("writing array " + path.string() + ": only float32 and int64 are written, this is " +
                      std::string(c10::toString(array.scalar_type())));
  const auto sizes = array.sizes();
  std::string bytes = npy_header(integers, {sizes.data(), sizes.size()});
  const auto values = array.detach().to(torch::kCPU).contiguous();
  bytes.append(static_cast<const char*>(values.data_ptr()), values.nbytes());
  write_output(files, path, bytes);
}

torch::Tensor read_npy(const Path& path) {
  const std::string bytes = read_file(path);
  const NpyHeader header = parse_npy_header(bytes, path);
  auto array = torch::empty(header.shape, header.integers ? torch::kInt64 : torch::kFloat32);
  if (array.numel() > 0) std::memcpy(array.data_ptr(), bytes.data() + header.data_start, array.nbytes());
  return array;
}

}  // namespace facemae
