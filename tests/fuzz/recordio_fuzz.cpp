// RecordIO (data/formats/recordio.h): records of a .rec file one after the other, and the text of an .idx file.
#include "core/error.h"
#include "data/formats/recordio.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string record(const ImageRecord& image) { return text_of(write_record(write_image_record(image))); }

void read_index(std::string_view input) {
  try {
    for (const RecordPlace& place : parse_record_index(input, 4096))
      require(place.offset < 4096, "each place lies within the file");
  } catch (const DataError&) {  // most inputs are no index
  }
}

}  // namespace

void parse(std::string_view input) {
  read_index(input);
  Bytes rest = std::as_bytes(std::span(input));
  while (!rest.empty()) {
    const Record found = parse_record(rest);
    require(found.bytes > 0 && found.bytes <= rest.size(), "a record lies within the file");
    require(parse_record(write_record(found.payload)).payload == found.payload,
            "a record is read back as it was written");
    rest = rest.subspan(found.bytes);
    const ImageRecord image = parse_image_record(found.payload);
    require(image.image.size() <= found.payload.size(), "an image lies within its record");
    class_of(image.first_label());
  }
}

std::vector<std::string> seeds() {
  const std::string picture("a picture"), magic("\x0a\x23\xd7\xce", 4);
  const std::string cut = magic + "abcd" + magic + "efgh";  // becomes three chunks
  return {record({.label = 7, .id = 1, .image = bytes_of(picture)}) +
              record({.id = 2, .labels = {3, 0.5F}, .image = bytes_of(picture)}),
          record({.labels = {201, 221}}), record({.label = 1, .image = bytes_of(cut)}), ""};
}

}  // namespace facemae::fuzz
