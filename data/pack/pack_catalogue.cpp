#include "data/pack/pack_catalogue.h"

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "core/text.h"
#include "data/pack/journal.h"
#include "data/source/listing.h"

namespace facemae {
namespace {

/// Is the catalogue there, whole and still true?
bool may_be_used(const Path& path, const Listed& now) {
  if (!std::filesystem::exists(path)) return false;
  try {
    const Catalogue catalogue(path);
    const std::string change = change_since(catalogue.listed(), now);
    if (!change.empty()) {
      spdlog::info("listing the images again, because {}", change);
      return false;
    }
    catalogue.verify();
    spdlog::info("{} images were listed by an earlier start; any that were added since are not seen",
                 human_count(catalogue.size()));
    return true;
  } catch (const DataError& error) {
    spdlog::warn("{}", error.what());
    return false;
  }
}

}  // namespace

Path catalogue_of(const Path& out) { return out / kPackingFolder / "catalogue.bin"; }

void list_for_pack(FileSystem& files, const Path& out, const SourceKind& kind, const SourcePlaces& places) {
  const Path path = catalogue_of(out);
  Listed now = state_of(kind, places);
  if (may_be_used(path, now)) return;
  TemporaryFile temporary(files, path);
  list_images(kind, places, std::move(now), files, temporary.path(), path.parent_path());
  temporary.publish();
}

std::unique_ptr<ImageSource> open_for_pack(const Path& out, const SourceKind& kind,
                                           const SourcePlaces& places) {
  return kind.open(places, Catalogue(catalogue_of(out)));
}

}  // namespace facemae
