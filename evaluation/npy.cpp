#include "evaluation/npy.h"

#include <torch/torch.h>

#include <charconv>
#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
constexpr std::size_t kPrefix = 10;  // magic, version, 16-bit header length

[[noreturn]] void refuse(const Path& path, const std::string& found) {
  throw DataError(
      "reading array " + path.string() + ": " + found +
      "; .npy version 1.0 with float32 or int64 in C order is understood, as numpy.save writes it");
}

/// What stands after 'key': in the header's dict, up to `end`.
std::string value_of(const std::string& header, const std::string& key, char end, const Path& path) {
  const auto at = header.find("'" + key + "':");
  if (at == std::string::npos) refuse(path, "its header has no " + key);
  const auto begin = at + key.size() + 3;
  const auto stop = header.find(end, begin);
  if (stop == std::string::npos) refuse(path, "its header ends within " + key);
  return trim(header.substr(begin, stop - begin));
}

std::vector<std::int64_t> shape_of(const std::string& header, const Path& path) {
  const std::string text = value_of(header, "shape", ')', path);
  if (!text.starts_with('(')) refuse(path, "its shape is not a tuple");
  std::vector<std::int64_t> shape;
  for (const auto& part : split(text.substr(1), ',')) {
    const auto word = trim(part);
    if (word.empty()) continue;
    std::int64_t side = -1;
    const auto [stop, fault] = std::from_chars(word.data(), word.data() + word.size(), side);
    if (fault != std::errc{} || stop != word.data() + word.size() || side < 0)
      refuse(path, "its shape has the side '" + word + "'");
    shape.push_back(side);
  }
  return shape;
}

}  // namespace

void write_npy(FileSystem& files, const Path& path, const torch::Tensor& array) {
  const bool integers = array.scalar_type() == torch::kInt64;
  if (!integers && array.scalar_type() != torch::kFloat32)
    throw ConfigError("writing array " + path.string() + ": only float32 and int64 are written, this is " +
                      std::string(c10::toString(array.scalar_type())));
  std::string shape;
  for (const auto side : array.sizes()) shape += std::to_string(side) + ", ";
  if (array.dim() > 1) shape.resize(shape.size() - 2);
  if (array.dim() == 1) shape.pop_back();
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                   integers ? "<i8" : "<f4", shape);
  header.append(63 - (kPrefix + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += static_cast<char>(header.size() & 0xFF);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  const auto values = array.detach().to(torch::kCPU).contiguous();
  bytes.append(static_cast<const char*>(values.data_ptr()), values.nbytes());
  write_durably(files, path, bytes);
}

torch::Tensor read_npy(const Path& path) {
  const std::string bytes = read_file(path);
  if (!bytes.starts_with(kMagic)) refuse(path, "it does not begin as .npy version 1.0 does");
  if (bytes.size() < kPrefix) refuse(path, "it ends within the header's length");
  const std::size_t length = static_cast<std::uint8_t>(bytes[8]) |
                             static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[9])) << 8;
  if (bytes.size() - kPrefix < length)
    refuse(path, fmt::format("its header should have {} bytes, the file has {}", length, bytes.size()));
  const std::string header = bytes.substr(kPrefix, length);

  const std::string type = value_of(header, "descr", ',', path);
  if (type != "'<f4'" && type != "'<i8'") refuse(path, "its type is " + type);
  if (value_of(header, "fortran_order", ',', path) != "False") refuse(path, "it is in Fortran order");
  const auto shape = shape_of(header, path);
  const std::uint64_t width = type == "'<f4'" ? 4 : 8;
  const std::uint64_t held = bytes.size() - kPrefix - length;
  bool empty = false;
  for (const auto side : shape) empty = empty || side == 0;
  std::uint64_t wanted = empty ? 0 : width;
  for (const auto side : shape) {
    if (wanted != 0 && static_cast<std::uint64_t>(side) > held / wanted)
      refuse(path, fmt::format("{} bytes are too few for its shape", held));
    wanted *= static_cast<std::uint64_t>(side);
  }
  if (wanted != held)
    refuse(path, fmt::format("its shape needs {} bytes, {} follow the header", wanted, held));
  auto array = torch::empty(shape, width == 4 ? torch::kFloat32 : torch::kInt64);
  if (held > 0) std::memcpy(array.data_ptr(), bytes.data() + kPrefix + length, held);
  return array;
}

}  // namespace facemae
