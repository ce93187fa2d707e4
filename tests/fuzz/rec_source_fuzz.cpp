// A whole .rec file without an .idx (data/source/source.h): found by its records, listed, and each image read.
#include "core/error.h"
#include "data/formats/recordio.h"
#include "data/source/source.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

std::string record(const ImageRecord& image) {
  const auto bytes = write_record(write_image_record(image));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void parse(std::string_view input) {
  static InputPath file;
  const auto source = rec_source(file.holding(input), false);
  for (std::uint64_t entry = 0; entry < source->size(); ++entry) {
    const auto label = source->label(entry);
    require(label >= 0 && static_cast<std::uint64_t>(label) < source->identities(),
            "a label has an identity");
    source->name(entry);
    try {
      require(source->read(entry).size() < input.size(), "an image is smaller than its file");
    } catch (const DataError&) {  // it becomes a reject
    }
  }
}

std::vector<std::string> seeds() {
  const std::string picture("a picture"), magic("\x0a\x23\xd7\xce", 4), cut = magic + "abcd" + magic + "efgh";
  const std::string plain = record({.label = 7, .id = 1, .image = bytes_of(picture)}) +
                            record({.id = 2, .labels = {3, 0.5F}, .image = bytes_of(picture)}) +
                            record({.label = 1, .id = 3, .image = bytes_of(cut)});
  // InsightFace: a header that says where images and identities end, images, identities.
  const std::string insightface =
      record({.labels = {3, 4}}) + record({.label = 0, .id = 1, .image = bytes_of(picture)}) +
      record({.label = 0, .id = 2, .image = bytes_of(picture)}) + record({.id = 3, .labels = {1, 3}});
  return {plain, insightface};
}

}  // namespace facemae::fuzz
