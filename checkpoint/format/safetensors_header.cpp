#include "checkpoint/format/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "checkpoint/format/layout.h"
#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

[[noreturn]] void bad(const Path& path, const std::string& what) {
  throw DataError(fmt::format("reading the header of {}: {}; the file is damaged or not safetensors",
                              path.string(), what));
}

/// The bytes of a tensor. Its strides must be countable even if a side is 0.
std::uint64_t size_of(const SafetensorsEntry& entry, const Path& path, const std::string& name) {
  std::uint64_t bytes = element_bytes(entry.dtype);
  bool empty = false;
  for (const std::int64_t n : entry.shape) {
    empty = empty || n == 0;
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(std::max<std::int64_t>(n, 1)), &bytes) ||
        bytes > 1ULL << 62)
      bad(path, "the shape of " + name + " overflows");
  }
  return empty ? 0 : bytes;
}

SafetensorsEntry entry_from(const nlohmann::json& json, const Path& path, const std::string& name) {
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    bad(path, name + " does not have exactly dtype, shape and data_offsets");
  SafetensorsEntry entry;
  const auto& type = json["dtype"];
  if (!type.is_string()) bad(path, name + " has a dtype that is not a text");
  entry.dtype = type.get<std::string>();
  if (element_bytes(entry.dtype) == 0) bad(path, name + " has the unknown type " + entry.dtype);
  if (!json["shape"].is_array()) bad(path, name + " has a shape that is not a list");
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

/// Checks the reference's rule: sorted by offset, the tensors tile the data without holes or overlaps up to
/// the file's end.
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
    bad(path, fmt::format("the file has {} bytes of data, but the tensors need {}",
                          file_size - header.data_start, at));
}

/// Parses JSON and refuses duplicate names: the parser alone would silently keep the last one.
nlohmann::json parse_unique(const std::string& text, const Path& path) {
  std::vector<std::set<std::string>> seen;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::object_start) seen.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) seen.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !seen.back().insert(parsed.get<std::string>()).second)
      bad(path, "the name " + parsed.get<std::string>() + " occurs twice");
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    bad(path, std::string("it is not JSON (") + error.what() + ")");
  }
}

}  // namespace

SafetensorsHeader read_safetensors_header(const InputFile& file) {
  const std::uint64_t size = file.size();
  if (size < 8) bad(file.path(), fmt::format("it has only {} bytes", size));
  std::uint64_t length = 0;
  file.read_at(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > kLargestSafetensorsHeader || length > size - 8)
    bad(file.path(), fmt::format("the header's length {} exceeds the file's or the format's limit", length));
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
    if (!value.is_object()) bad(file.path(), "__metadata__ is not an object");
    for (const auto& [key, text_value] : value.items()) {
      if (!text_value.is_string()) bad(file.path(), "__metadata__ has a value that is not a text: " + key);
      header.metadata[key] = text_value.get<std::string>();
    }
  }
  check_layout(header, size, file.path());
  return header;
}

}  // namespace facemae
