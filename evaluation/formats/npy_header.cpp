#include "evaluation/formats/npy_header.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

[[noreturn]] void refuse(const Path& path, const std::string& found) {
  throw DataError(
      "reading array " + path.string() + ": " + found +
      "; .npy version 1.0 or 2.0 with little-endian float16, float32, float64 or int64 in C order is understood, as "
      "numpy.save(file, numpy.ascontiguousarray(array)) writes it");
}

struct TypeName {
  std::string_view name;
  NpyType type;
};
constexpr std::array kTypes = {TypeName{"'<f2'", NpyType::Float16}, TypeName{"'<f4'", NpyType::Float32},
                               TypeName{"'<f8'", NpyType::Float64}, TypeName{"'<i8'", NpyType::Int64}};

/// `count` bytes at `at`, the lowest first.
std::size_t number_at(std::string_view bytes, std::size_t at, std::size_t count) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < count; ++i)
    number |= static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[at + i])) << (8 * i);
  return number;
}

/// What stands after 'key': in the header's dict, up to `end`.
std::string value_of(std::string_view header, const std::string& key, char end, const Path& path) {
  const auto at = header.find("'" + key + "':");
  if (at == std::string_view::npos) refuse(path, "its header has no " + key);
  const auto begin = at + key.size() + 3;
  const auto stop = header.find(end, begin);
  if (stop == std::string_view::npos) refuse(path, "its header ends within " + key);
  return trim(header.substr(begin, stop - begin));
}

std::vector<std::int64_t> shape_of(std::string_view header, const Path& path) {
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

/// Bytes of the array. Its strides must be countable even where a side is 0.
std::uint64_t size_of(const NpyHeader& header, const Path& path) {
  std::uint64_t bytes = bytes_of_value(header.type);
  bool empty = false;
  for (const std::int64_t side : header.shape) {
    empty = empty || side == 0;
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(std::max<std::int64_t>(side, 1)), &bytes) ||
        bytes > 1ULL << 62)
      refuse(path, "its shape is larger than any memory");
  }
  return empty ? 0 : bytes;
}

}  // namespace

std::size_t bytes_of_value(NpyType type) {
  return type == NpyType::Float16 ? 2 : type == NpyType::Float32 ? 4 : 8;
}

std::string npy_header(bool integers, std::span<const std::int64_t> shape) {
  std::string sides;
  for (const auto side : shape) sides += std::to_string(side) + ", ";
  if (shape.size() > 1) sides.resize(sides.size() - 2);
  if (shape.size() == 1) sides.pop_back();
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                 integers ? "<i8" : "<f4", sides);
  dict.append(63 - (kNpyPrefix + dict.size()) % 64, ' ');
  dict += '\n';
  std::string bytes(kNpyMagic);
  bytes += static_cast<char>(dict.size() & 0xFF);
  bytes += static_cast<char>(dict.size() >> 8);
  return bytes + dict;
}

NpyHeader parse_npy_header(std::string_view bytes, const Path& path) {
  constexpr std::size_t version_at = kNpyMagic.size() - 2;
  if (!bytes.starts_with(kNpyMagic.substr(0, version_at))) refuse(path, "it does not begin as .npy does");
  if (bytes.size() < kNpyMagic.size()) refuse(path, "it ends within the version");
  const char version = bytes[version_at];
  if ((version != 1 && version != 2) || bytes[version_at + 1] != 0)
    refuse(path, fmt::format("its version is {}.{}", static_cast<int>(version),
                             static_cast<int>(bytes[version_at + 1])));
  const std::size_t prefix = version == 1 ? kNpyPrefix : kNpyPrefix + 2;
  if (bytes.size() < prefix) refuse(path, "it ends within the header's length");
  const std::size_t length = number_at(bytes, kNpyMagic.size(), prefix - kNpyMagic.size());
  if (bytes.size() - prefix < length)
    refuse(path, fmt::format("its header should have {} bytes, the file has {}", length, bytes.size()));
  const std::string_view text = bytes.substr(prefix, length);

  NpyHeader header;
  const std::string type = value_of(text, "descr", ',', path);
  const auto* known =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& row) { return row.name == type; });
  if (known == kTypes.end()) refuse(path, "its type is " + type);
  if (value_of(text, "fortran_order", ',', path) != "False") refuse(path, "it is in Fortran order");
  header.type = known->type;
  header.shape = shape_of(text, path);
  header.data_start = prefix + length;
  const std::uint64_t held = bytes.size() - header.data_start, wanted = size_of(header, path);
  if (wanted != held)
    refuse(path, fmt::format("its shape needs {} bytes, {} follow the header", wanted, held));
  return header;
}

}  // namespace facemae
