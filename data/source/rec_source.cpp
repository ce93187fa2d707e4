// rec_source() of data/source/source.h: a .rec file of MXNet, with or without its .idx.
#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "core/files/array.h"
#include "core/files/scratch_file.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/formats/record_file.h"
#include "data/formats/recordio.h"
#include "data/source/catalogued_source.h"
#include "data/source/pieces.h"
#include "data/source/source_kind.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

Path rec_at(const Path& given) {
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

Path index_of(Path rec) { return rec.replace_extension(".idx"); }

class RecSource final : public CataloguedSource {
 public:
  explicit RecSource(Catalogue catalogue)
      : CataloguedSource(std::move(catalogue)), file_(parts().front().path) {}
  std::vector<std::byte> read(std::uint64_t entry) const override {
    const auto payload = read_record(file_, catalogue_.place(entry));
    const Bytes image = parse_image_record(payload).image;
    if (image.empty()) throw DataError("the record holds no image");
    return {image.begin(), image.end()};
  }

 private:
  InputFile file_;
};

class RecLister {
 public:
  explicit RecLister(CatalogueWriter& catalogue)
      : catalogue_(catalogue),
        file_(catalogue.parts().front().path),
        scratch_(catalogue.scratch()),
        found_(real_files(), scratch_.path()) {}
  void list(bool show_progress) {
    const auto places = list_places();
    Progress progress("listing", file_.size() >> 20, "MiB", show_progress);
    read_labels(places, progress);
    progress.finish();
    if (images() == 0) throw ConfigError("packing RecordIO: no images in " + file_.path().string());
    name_images();
  }

 private:
  /// What is known of an image before the widths of all names are.
  struct Found {
    std::uint64_t key, offset, label;
  };
  std::uint64_t images() const { return found_.size() / sizeof(Found); }
  [[noreturn]] void refuse(const std::string& why) const {
    throw DataError(fmt::format("packing RecordIO: {}: {}", file_.path().string(), why));
  }

  /// By the .idx, or from the front to the end, where the key is the number of the record.
  std::vector<RecordPlace> list_places() {
    const Path index = index_of(file_.path());
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
        keep({place.key, place.offset, static_cast<std::uint64_t>(label)});
      } catch (const DataError& error) {
        refuse(fmt::format("record {}: {}", place.key, error.what()));
      }
      progress.advance((place.offset >> 20) - reported);
      reported = place.offset >> 20;
    }
    if (by_key && scanned_ && places.size() != images_end + identities)
      refuse(fmt::format("its header announces {} records, {} are there: truncated between two records",
                         images_end + identities, places.size()));
    if (by_key && images() != images_end - 1)
      refuse(fmt::format("its header announces {} images, {} are listed: the .idx or the file is incomplete",
                         images_end - 1, images()));
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

  void keep(const Found& image) {
    largest_label_ = std::max(largest_label_, image.label);
    largest_key_ = std::max(largest_key_, image.key);
    if (labels_.empty() || image.label != latest_label_) labels_.insert(image.label);
    latest_label_ = image.label;
    found_.add_value(image);
  }

  /// Class numbers and keys, padded to one width so that their order as names is their order as numbers.
  void name_images() {
    const auto label_width = std::to_string(largest_label_).size(),
               key_width = std::to_string(largest_key_).size();
    found_.flush();
    for (const Found& image : Array<Found>::at(map_file(scratch_.path(), 0, found_.size()), images()))
      catalogue_.add(fmt::format("{:0{}}", image.label, label_width),
                     fmt::format("{:0{}}", image.key, key_width), 0, image.offset);
    if (labels_.size() != largest_label_ + 1)
      spdlog::warn(
          "{}: class numbers go up to {} but only {} have images: labels of the store count those, in order",
          file_.path().string(), largest_label_, labels_.size());
    if (announced_ != 0 && announced_ != labels_.size())
      spdlog::warn("{}: its header announces {} identities, {} have images", file_.path().string(),
                   announced_, labels_.size());
  }

  CatalogueWriter& catalogue_;
  InputFile file_;
  bool scanned_ = false;  ///< there was no .idx
  ScratchFile scratch_;
  Pieces found_;
  std::uint64_t largest_label_ = 0, largest_key_ = 0, latest_label_ = 0;
  std::unordered_set<std::uint64_t> labels_;
  std::uint64_t announced_ = 0;  ///< identities by InsightFace's header, 0 when it does not tell
};

}  // namespace

std::vector<Path> find_rec(const SourcePlaces& places) {
  std::vector<Path> parts = {rec_at(places.in.at(0))};
  if (const Path index = index_of(parts[0]); fs::exists(index)) parts.push_back(index);
  return parts;
}

void list_rec(const SourcePlaces& places, CatalogueWriter& catalogue) {
  RecLister(catalogue).list(places.show_progress);
}

std::unique_ptr<ImageSource> open_rec(const SourcePlaces&, Catalogue catalogue) {
  return std::make_unique<RecSource>(std::move(catalogue));
}

}  // namespace facemae
