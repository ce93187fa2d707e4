#include "checkpoint/tensors/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are stored as they lie in memory");

struct TypeName {
  torch::ScalarType type;
  const char* name;
};
constexpr TypeName kTypes[] = {{torch::kBool, "BOOL"}, {torch::kUInt8, "U8"},    {torch::kInt8, "I8"},
                               {torch::kInt16, "I16"}, {torch::kFloat16, "F16"}, {torch::kBFloat16, "BF16"},
                               {torch::kInt32, "I32"}, {torch::kFloat32, "F32"}, {torch::kFloat64, "F64"},
                               {torch::kInt64, "I64"}};

}  // namespace

std::string safetensors_type(torch::ScalarType type, const std::string& tensor) {
  for (const auto& known : kTypes)
    if (known.type == type) return known.name;
  throw ConfigError(fmt::format("writing tensor {}: its type {} has no name in safetensors; convert it first",
                                tensor, c10::toString(type)));
}

torch::ScalarType torch_type(const std::string& name) {
  for (const auto& known : kTypes)
    if (name == known.name) return known.type;
  throw DataError("a tensor has the type " + name + ", which this program does not know");
}

std::string safetensors_header(const NamedTensors& tensors,
                               const std::map<std::string, std::string>& metadata, std::size_t align) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!metadata.empty()) json["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const auto& [name, value] : tensors) {
    if (name == "__metadata__" || json.contains(name))
      throw ConfigError("writing safetensors: the tensor name " + name + " is reserved or occurs twice");
    const std::uint64_t bytes = value.nbytes();
    json[name] = {{"dtype", safetensors_type(value.scalar_type(), name)},
                  {"shape", value.sizes().vec()},
                  {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  std::string text = json.dump();
  const std::size_t past = (text.size() + 8) % align;
  text.append(past == 0 ? 0 : align - past, ' ');
  const std::uint64_t length = text.size();
  if (length > kLargestSafetensorsHeader)
    throw ConfigError(
        fmt::format("writing safetensors: a header of {} bytes exceeds the format's limit of {}", length,
                    kLargestSafetensorsHeader));
  std::string header(8, '\0');
  std::memcpy(header.data(), &length, 8);
  return header + text;
}

void write_safetensors(FileSystem& files, const Path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  NamedTensors sorted = tensors;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  const std::string header = safetensors_header(sorted, metadata);
  write_output(files, path, [&](OutputFile& out) {
    out.write(bytes_of(header));
    for (const auto& [name, value] : sorted) {
      const torch::Tensor plain = value.detach().cpu().contiguous();
      out.write({static_cast<const std::byte*>(plain.const_data_ptr()), plain.nbytes()});
    }
  });
}

NamedTensors read_safetensors(const Path& path, std::map<std::string, std::string>* metadata) {
  const InputFile file(path);
  const SafetensorsHeader header = read_safetensors_header(file);
  NamedTensors tensors;
  for (const auto& [name, entry] : header.entries) {
    torch::Tensor value = torch::empty(entry.shape, torch::TensorOptions().dtype(torch_type(entry.dtype)));
    file.read_at(header.data_start + entry.begin,
                 {static_cast<std::byte*>(value.mutable_data_ptr()), value.nbytes()});
    tensors.emplace_back(name, std::move(value));
  }
  if (metadata) *metadata = header.metadata;
  return tensors;
}

}  // namespace facemae
