#include "checkpoint/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are stored as they lie in memory");

constexpr std::uint64_t kLargestHeader = 100'000'000;  // the reference reader's limit

struct TypeName {
  torch::ScalarType type;
  const char* name;
};
constexpr TypeName kTypes[] = {{torch::kBool, "BOOL"}, {torch::kUInt8, "U8"},    {torch::kInt8, "I8"},
                               {torch::kInt16, "I16"}, {torch::kFloat16, "F16"}, {torch::kBFloat16, "BF16"},
                               {torch::kInt32, "I32"}, {torch::kFloat32, "F32"}, {torch::kFloat64, "F64"},
                               {torch::kInt64, "I64"}};

[[noreturn]] void bad(const Path& path, const std::string& what) {
  throw DataError(fmt::format("reading the header of {}: {}; the file is damaged or not safetensors",
                              path.string(), what));
}

std::uint64_t size_of(const SafetensorsEntry& entry, const Path& path, const std::string& name) {
  std::uint64_t bytes = c10::elementSize(entry.type);
  for (const std::int64_t n : entry.shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(n), &bytes))
      bad(path, "the shape of " + name + " overflows");
  return bytes;
}

SafetensorsEntry entry_from(const nlohmann::json& json, const Path& path, const std::string& name) {
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    bad(path, name + " has not exactly dtype, shape and data_offsets");
  SafetensorsEntry entry;
  const auto& type = json["dtype"];
  const auto known = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const TypeName& t) { return type.is_string() && type == t.name; });
  if (known == std::end(kTypes)) bad(path, fmt::format("{} has the unknown type {}", name, type.dump()));
  entry.type = known->type;
  if (!json["shape"].is_array()) bad(path, name + " has a shape that is no list");
  for (const auto& n : json["shape"]) {
    if (!n.is_number_unsigned() || n.get<std::uint64_t>() > (1ULL << 62))
      bad(path, name + " has a bad number in its shape");
    entry.shape.push_back(n.get<std::int64_t>());
  }
  const auto& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    bad(path, name + " has bad data_offsets");
  entry.begin = offsets[0].get<std::uint64_t>();
  entry.end = offsets[1].get<std::uint64_t>();
  if (entry.begin > entry.end || entry.end - entry.begin != size_of(entry, path, name))
    bad(path,
        fmt::format("{} has data_offsets [{}, {}] that do not fit its shape", name, entry.begin, entry.end));
  return entry;
}

/// The reference's rule: sorted by offset, the tensors tile the data without holes or overlaps up to the
/// file's end.
void check_layout(const SafetensorsHeader& header, std::uint64_t file_size, const Path& path) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, entry] : header.entries) ranges.emplace_back(entry.begin, entry.end);
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t at = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != at)
      bad(path, fmt::format("{} in the data at offset {}", begin > at ? "a hole" : "an overlap", at));
    at = end;
  }
  if (file_size - header.data_start != at)
    bad(path,
        fmt::format("{} bytes of data are there, the tensors need {}", file_size - header.data_start, at));
}

/// JSON with duplicate names refused: the parser alone would keep the last one silently.
nlohmann::json parse_unique(const std::string& text, const Path& path) {
  std::vector<std::set<std::string>> seen;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::object_start) seen.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) seen.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !seen.back().insert(parsed.get<std::string>()).second)
      bad(path, "the name " + parsed.get<std::string>() + " is there twice");
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    bad(path, std::string("it is not JSON (") + error.what() + ")");
  }
}

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
      throw ConfigError("writing safetensors: the tensor name " + name + " is reserved or there twice");
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
  if (length > kLargestHeader)
    throw ConfigError(
        fmt::format("writing safetensors: a header of {} bytes is above the format's limit of {}", length,
                    kLargestHeader));
  std::string header(8, '\0');
  std::memcpy(header.data(), &length, 8);
  return header + text;
}

SafetensorsHeader read_safetensors_header(const InputFile& file) {
  const std::uint64_t size = file.size();
  if (size < 8) bad(file.path(), fmt::format("it has only {} bytes", size));
  std::uint64_t length = 0;
  file.read_at(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > kLargestHeader || length > size - 8)
    bad(file.path(), fmt::format("the header's length {} is above the file's or the format's limit", length));
  std::string text(length, '\0');
  file.read_at(8, std::as_writable_bytes(std::span(text)));
  const nlohmann::json json = parse_unique(text, file.path());
  if (text.empty() || text[0] != '{' || !json.is_object())
    bad(file.path(), "it does not start with an object");
  SafetensorsHeader header;
  header.data_start = 8 + length;
  for (const auto& [name, value] : json.items()) {
    if (name != "__metadata__") {
      header.entries.emplace(name, entry_from(value, file.path(), name));
      continue;
    }
    if (!value.is_object()) bad(file.path(), "__metadata__ is no object");
    for (const auto& [key, text_value] : value.items()) {
      if (!text_value.is_string()) bad(file.path(), "__metadata__ has a value that is no text: " + key);
      header.metadata[key] = text_value.get<std::string>();
    }
  }
  check_layout(header, size, file.path());
  return header;
}

void write_safetensors(FileSystem& files, const Path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  NamedTensors sorted = tensors;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  const std::string header = safetensors_header(sorted, metadata);
  const Path temporary = path.string() + ".tmp";
  auto out = files.create(temporary);
  out->write(bytes_of(header));
  for (const auto& [name, value] : sorted) {
    const torch::Tensor plain = value.detach().cpu().contiguous();
    out->write({static_cast<const std::byte*>(plain.const_data_ptr()), plain.nbytes()});
  }
  out->sync();
  out->close();
  files.rename(temporary, path);
  files.sync_folder(path.parent_path());
}

NamedTensors read_safetensors(const Path& path, std::map<std::string, std::string>* metadata) {
  const InputFile file(path);
  const SafetensorsHeader header = read_safetensors_header(file);
  NamedTensors tensors;
  for (const auto& [name, entry] : header.entries) {
    torch::Tensor value = torch::empty(entry.shape, torch::TensorOptions().dtype(entry.type));
    file.read_at(header.data_start + entry.begin,
                 {static_cast<std::byte*>(value.mutable_data_ptr()), value.nbytes()});
    tensors.emplace_back(name, std::move(value));
  }
  if (metadata) *metadata = header.metadata;
  return tensors;
}

}  // namespace facemae
