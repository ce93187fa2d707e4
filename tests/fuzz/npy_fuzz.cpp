// numpy arrays (evaluation/formats/npy_header.h).
#include "evaluation/formats/npy_header.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

std::string array(const std::string& type, const std::string& shape, std::size_t bytes, char version = 1) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }\n";
  std::string file(kNpyMagic);
  file[6] = version;
  file += static_cast<char>(header.size());
  file.append(version == 1 ? 1 : 3, '\0');
  return file + header + std::string(bytes, 'x');
}

}  // namespace

void parse(std::string_view input) {
  const NpyHeader header = parse_npy_header(input, "input");
  require(header.data_start <= input.size(), "the array begins within the file");
  std::uint64_t values = 1;
  for (const auto side : header.shape) values *= static_cast<std::uint64_t>(side);
  require(values * (bytes_of_value(header.type)) == input.size() - header.data_start,
          "the array fills the file");
}

std::vector<std::string> seeds() {
  return {array("<f4", "2, 3", 24), array("<i8", "3,", 24),   array("<f4", "", 4),
          array("<i8", "0, 7", 0),  array("<f2", "2, 3", 12), array("<f8", "2, 3", 48, 2)};
}

}  // namespace facemae::fuzz
