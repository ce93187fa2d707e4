// Headers of safetensors files (checkpoint/format/safetensors_header.h). An input is the JSON text with the data; it
// is read as it is, and behind the length that is right for a first line.
#include "checkpoint/format/safetensors_header.h"
#include "core/error.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

SafetensorsHeader read(std::string_view bytes) {
  static InputPath file;
  const SafetensorsHeader header = read_safetensors_header(InputFile(file.holding(bytes)));
  for (const auto& [name, entry] : header.entries)
    require(entry.begin <= entry.end && header.data_start + entry.end <= bytes.size(),
            "each tensor lies within the file");
  return header;
}
std::string with_length(std::uint64_t length, std::string_view rest) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
  return bytes.append(rest);
}

}  // namespace

void parse(std::string_view input) {
  try {
    read(input);
  } catch (const Error&) {
    read(with_length(std::min(input.find('\n'), input.size()), input));
  }
}

std::vector<std::string> seeds() {
  const std::string whole = R"({"a":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})";
  return {
      with_length(whole.size(), whole) + std::string(24, 'x'),
      R"({"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
      R"("a":{"dtype":"BF16","shape":[],"data_offsets":[1,3]},"e":{"dtype":"I64","shape":[0,4],"data_offsets":[3,3]}})"
      "\nxy",
      "{}"};
}

}  // namespace facemae::fuzz
