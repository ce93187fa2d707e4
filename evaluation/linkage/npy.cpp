#include "evaluation/linkage/npy.h"

#include <torch/torch.h>

#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/formats/npy_header.h"

namespace facemae {
namespace {

torch::ScalarType scalar_type_of(NpyType type) {
  switch (type) {
    case NpyType::Float16:
      return torch::kFloat16;
    case NpyType::Float32:
      return torch::kFloat32;
    case NpyType::Float64:
      return torch::kFloat64;
    case NpyType::Int64:
      break;
  }
  return torch::kInt64;
}

}  // namespace

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
  auto array = torch::empty(header.shape, scalar_type_of(header.type));
  if (array.numel() > 0) std::memcpy(array.data_ptr(), bytes.data() + header.data_start, array.nbytes());
  return array;
}

torch::Tensor read_rows(const Path& path) {
  auto array = read_npy(path);
  if (array.dim() != 2 || array.size(1) < 1 || !array.is_floating_point())
    throw DataError(
        "reading embeddings " + path.string() +
        ": an array of floats with a row for each image is expected, as `facemae embed` writes it");
  array = array.to(torch::kFloat32);
  const auto finite = array.isfinite().all(1);
  if (!finite.all().item<bool>())
    throw DataError(fmt::format("reading embeddings {}: row {} has a value that is not finite as float32",
                                path.string(), finite.logical_not().nonzero()[0].item<std::int64_t>()));
  return array;
}

}  // namespace facemae
