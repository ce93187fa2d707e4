// The directory at the end of a zip (data/formats/zip_directory.h), which we read ourselves, and the names
// in it (data/formats/member_name.h).
#include "core/error.h"
#include "data/formats/member_name.h"
#include "data/formats/zip_directory.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

std::string number(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
  return bytes;
}

std::string entry(const std::string& name, unsigned flags = 0) {
  return "PK\x01\x02" + number(0, 4) + number(flags, 2) + number(0, 18) + number(name.size(), 2) +
         number(0, 16) + name;
}
std::string end_record(std::uint64_t members, std::uint64_t bytes, std::uint64_t offset) {
  return "PK\x05\x06" + number(0, 4) + number(members, 2) + number(members, 2) + number(bytes, 4) +
         number(offset, 4) + number(0, 2);
}

/// No part of an accepted name leads anywhere but down.
void require_inside(std::string_view name) {
  require(name != ".." && name.find_first_of(std::string_view("/\\\0", 3)) == name.npos,
          "a name is one part of a path");
}

}  // namespace

void parse(std::string_view input) {
  const Bytes bytes = std::as_bytes(std::span(input));
  const Bytes tail = bytes.last(std::min<std::size_t>(bytes.size(), kZipTailBytes));
  const ZipEnd end = find_zip_end(tail, bytes.size());
  require(end.directory_offset <= bytes.size() && end.directory_bytes <= bytes.size() - end.directory_offset,
          "the directory lies within the file");
  parse_zip_directory(bytes.subspan(end.directory_offset, end.directory_bytes), end.members,
                      [](ZipMember member) {
                        if (const auto image = image_of_member(member.path)) {
                          require_inside(image->identity);
                          require_inside(image->image);
                        }
                      });
}

std::vector<std::string> seeds() {
  const std::string two = entry("set/ann/1.jpg") + entry("bob/2.PNG", 1) + entry("bob/");
  const std::string wide = "PK\x06\x06" + number(44, 8) + number(45, 4) + number(0, 8) + number(3, 8) +
                           number(3, 8) + number(two.size(), 8) + number(0, 8) + "PK\x06\x07" + number(0, 4) +
                           number(two.size(), 8) + number(1, 4);
  return {end_record(0, 0, 0), two + end_record(3, two.size(), 0),
          two + wide + end_record(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)};
}

}  // namespace facemae::fuzz
