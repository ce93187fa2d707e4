// rec_source() of data/source/source.h: a .rec file of MXNet, with or without its .idx.
#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/formats/record_file.h"
#include "data/formats/recordio.h"
#include "data/source/source.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

Path find_rec(const Path& given) {
  if (!fs::exists(given)) throw ConfigError("packing RecordIO: " + given.string() + " does not exist");
  if (!fs::is_directory(given)) return given;
  std::vector<Path> found;
  for (const auto& file : fs::directory_iterator(given))
    if (file.path().extension() == ".rec") found.push_back(file.path());
  if (found.size() != 1)
    throw ConfigError(fmt::format("packing RecordIO: the folder {} holds {} .rec files; name the one to pack",
                                  given.string(), found.size()));
  return found.front();
}

class RecSource final : public ImageSource {
 public:
  RecSource(const Path& given, bool show_progress) : file_(find_rec(given)) {
    const auto places = list_places();
    Progress progress("listing", file_.size() >> 20, "MiB", show_progress);
    read_labels(places, progress);
    progress.finish();
    if (entries_.empty()) throw ConfigError("packing RecordIO: no images in " + file_.path().string());
    name_identities();
  }

  const std::vector<std::string>& identity_names() const override { return names_; }
  std::uint64_t size() const override { return entries_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return entries_.at(entry).label; }
  std::string name(std::uint64_t entry) const override {
    const Entry& at = entries_.at(entry);
    return fmt::format("{}/{:0{}}", names_[at.label], at.key, key_width_);
  }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    const auto payload = read_record(file_, entries_.at(entry).offset);
    const Bytes image = parse_image_record(payload).image;
    if (image.empty()) throw DataError("the record holds no image");
    return {image.begin(), image.end()};
  }

 private:
  struct Entry {
    std::uint64_t key, offset;
    std::uint32_t label;  ///< as in the file until name_identities(), then its position
  };
  [[noreturn]] void refuse(const std::string& why) const {
    throw DataError(fmt::format("packing RecordIO: {}: {}", file_.path().string(), why));
  }

  /// By the .idx, or from the front to the end, where the key is the number of the record.
  std::vector<RecordPlace> list_places() {
    const Path index = Path(file_.path()).replace_extension(".idx");
    std::vector<RecordPlace> places;
    const std::uint64_t file_bytes = file_.size();
    if (fs::exists(index)) {
      try {
        places = parse_record_index(read_plain_file(index), file_bytes);
      } catch (const DataError& error) {
        refuse(index.string() + ": " + error.what());
      }
      std::sort(places.begin(), places.end(),
                [](const RecordPlace& a, const RecordPlace& b) { return a.offset < b.offset; });
      return places;
    }
    spdlog::info("{} is not there: the records are found by reading {}", index.string(),
                 file_.path().string());
    scanned_ = true;
    try {
      return scan_records(file_);
    } catch (const DataError& error) {
      refuse(error.what());
    }
  }

  void read_labels(const std::vector<RecordPlace>& places, Progress& progress) {
    RecordWindows windows(file_);
    std::uint64_t reported = 0, inexact = 0;
    // Record 0 without an image is InsightFace's header: the first key after the images, and the first key
    // after the identity records that follow them.
    std::uint64_t images_end = UINT64_MAX, identities = 0;
    bool by_key = false;
    const auto zero =
        std::find_if(places.begin(), places.end(), [](const RecordPlace& p) { return p.key == 0; });
    if (zero != places.end()) {
      const RecordFront header = front(windows, *zero);
      if (!header.has_image && header.labels.size() == 2) {
        std::uint64_t end = 0;
        try {
          images_end = static_cast<std::uint64_t>(class_of(header.labels[0]));
          end = static_cast<std::uint64_t>(class_of(header.labels[1]));
        } catch (const DataError& error) {
          refuse(std::string("its header: ") + error.what());
        }
        by_key = end <= kExactFloat;
        identities = end >= images_end ? end - images_end : 0;
        if (!by_key)
          spdlog::warn(
              "{}: its header counts to {}, more than float32 can ({}): records are recognised as images by their content",
              file_.path().string(), end, kExactFloat);
      }
    }
    const bool insightface = images_end != UINT64_MAX;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const RecordPlace& place = places[i];
      const RecordFront record = front(windows, place);
      if (i + 1 < places.size() && place.offset + record.bytes > places[i + 1].offset)
        refuse(fmt::format(
            "record {}, offset {}: it runs into the next one, listed at {}: damaged, or the .idx belongs to another file",
            place.key, place.offset, places[i + 1].offset));
      if (insightface && (place.key == 0 || (by_key && place.key >= images_end))) continue;
      if (!record.has_image && insightface && !by_key) continue;
      try {
        const std::int64_t label = class_of(record.labels.front());
        inexact += static_cast<std::uint64_t>(label) >= kExactFloat ? 1 : 0;
        entries_.push_back({place.key, place.offset, static_cast<std::uint32_t>(label)});
      } catch (const DataError& error) {
        refuse(fmt::format("record {}: {}", place.key, error.what()));
      }
      progress.advance((place.offset >> 20) - reported);
      reported = place.offset >> 20;
    }
    if (by_key && scanned_ && places.size() != images_end + identities)
      refuse(fmt::format("its header announces {} records, {} are there: truncated between two records",
                         images_end + identities, places.size()));
    if (by_key && entries_.size() != images_end - 1)
      refuse(fmt::format("its header announces {} images, {} are listed: the .idx or the file is incomplete",
                         images_end - 1, entries_.size()));
    if (inexact > 0)
      spdlog::warn(
          "{}: {} image(s) have class numbers from {} on, where float32 rounds to even numbers: several people may share a number",
          file_.path().string(), human_count(inexact), kExactFloat);
    announced_ = by_key ? identities : 0;
  }

  RecordFront front(RecordWindows& windows, const RecordPlace& place) const {
    try {
      return windows.front(place.offset);
    } catch (const DataError& error) {
      refuse(fmt::format("record {}, offset {}: {}", place.key, place.offset, error.what()));
    }
  }

  /// Class numbers, padded to one width so that their order as names is their order as numbers.
  void name_identities() {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return a.label != b.label ? a.label < b.label : a.key < b.key;
    });
    const std::uint32_t largest = entries_.back().label;
    const auto width = std::to_string(largest).size();
    std::uint64_t largest_key = 0;
    std::uint32_t last = 0;
    for (Entry& entry : entries_) {
      if (names_.empty() || entry.label != last) {
        last = entry.label;
        names_.push_back(fmt::format("{:0{}}", last, width));
      }
      entry.label = static_cast<std::uint32_t>(names_.size() - 1);
      largest_key = std::max(largest_key, entry.key);
    }
    key_width_ = std::to_string(largest_key).size();
    if (names_.size() != std::uint64_t{largest} + 1)
      spdlog::warn(
          "{}: class numbers go up to {} but only {} have images: labels of the store count those, in order",
          file_.path().string(), largest, names_.size());
    if (announced_ != 0 && announced_ != names_.size())
      spdlog::warn("{}: its header announces {} identities, {} have images", file_.path().string(),
                   announced_, names_.size());
  }

  InputFile file_;
  bool scanned_ = false;  ///< there was no .idx
  std::vector<Entry> entries_;
  std::vector<std::string> names_;
  std::size_t key_width_ = 1;
  std::uint64_t announced_ = 0;  ///< identities by InsightFace's header, 0 when it does not tell
};

}  // namespace

std::unique_ptr<ImageSource> rec_source(const Path& rec, bool show_progress) {
  return std::make_unique<RecSource>(rec, show_progress);
}

}  // namespace facemae
