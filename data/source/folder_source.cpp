// folder_source() of data/source/source.h: ROOT/<identity>/<image>.
#include <algorithm>
#include <span>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/formats/image_walk.h"
#include "data/source/catalogued_source.h"
#include "data/source/source_kind.h"

namespace facemae {
namespace {

class FolderSource final : public CataloguedSource {
 public:
  using CataloguedSource::CataloguedSource;
  std::vector<std::byte> read(std::uint64_t entry) const override {
    return read_bytes(part_of(entry) / name(entry));
  }
};

/// Lists one root after the other.
class FolderLister {
 public:
  FolderLister(CatalogueWriter& catalogue, const FolderRules& rules) : catalogue_(catalogue), rules_(rules) {}

  void list(std::uint32_t part) {
    const Path& root = root_of(part);
    std::string identity;  // the folder of the root that is walked
    std::uint64_t found = 0;
    const auto close = [&] {
      if (!identity.empty() && found == 0) empty_.push_back((root / identity).string());
      found = 0;
    };
    walk_images(root, left_out_,
                {.folder =
                     [&](const std::string& folder) {
                       if (folder.find('/') != folder.npos) return;
                       close();
                       identity = folder;
                     },
                 .image = [&](const std::string& image) { found += add_image(image, part) ? 1 : 0; }});
    close();
  }
  void finish() {
    const std::string left_out = left_out_.empty() ? "" : "; left out: " + left_out_.summary();
    if (!empty_.empty()) tell_empty(left_out);
    if (catalogue_.size() == 0)
      throw ConfigError(fmt::format("no identity folders in {}: expected ROOT/<identity>/<image>.jpg{}",
                                    root_of(0).string(), left_out));
    left_out_.tell();
  }

 private:
  const Path& root_of(std::uint32_t part) const { return catalogue_.parts()[part].path; }
  /// Is it one of the set?
  bool add_image(const std::string& path, std::uint32_t part) {
    const auto slash = path.find('/');
    const std::string seen = (root_of(part) / path).string();
    if (slash == path.npos) {
      left_out_.add("image(s) in no identity's folder", seen, LeftOut::Loss::Pictures);
      return false;
    }
    if (!rules_.nested && path.find('/', slash + 1) != path.npos) {
      left_out_.add(
          "image(s) below an identity's folder; --nested takes them as its images, --in that folder as identities",
          seen, LeftOut::Loss::Pictures);
      return false;
    }
    catalogue_.add(std::string_view(path).substr(0, slash), std::string_view(path).substr(slash + 1), part);
    return true;
  }

  void tell_empty(const std::string& left_out) {
    std::sort(empty_.begin(), empty_.end());
    const auto named = std::span(empty_).first(std::min<std::size_t>(5, empty_.size()));
    const std::string told = fmt::format("{} identity folder(s) hold no images: {}",
                                         human_count(empty_.size()), fmt::join(named, ", "));
    if (!rules_.skip_empty)
      throw DataError(told +
                      "; put .jpg, .jpeg or .png into them, remove them, or pass them over by --skip-empty" +
                      left_out);
    spdlog::warn("{}: passed over", told);
  }

  CatalogueWriter& catalogue_;
  FolderRules rules_;
  LeftOut left_out_;
  std::vector<std::string> empty_;
};

}  // namespace

void list_folders(const SourcePlaces& places, CatalogueWriter& catalogue) {
  if (places.in.empty()) throw ConfigError("packing a folder: no folder was given (--in ROOT)");
  FolderLister lister(catalogue, places.rules);
  for (std::uint32_t part = 0; part < places.in.size(); ++part) lister.list(part);
  lister.finish();
}

std::unique_ptr<ImageSource> open_folders(const SourcePlaces&, Catalogue catalogue) {
  return std::make_unique<FolderSource>(std::move(catalogue));
}

}  // namespace facemae
