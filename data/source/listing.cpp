#include "data/source/listing.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"
#include "core/files/scratch_file.h"
#include "core/log.h"

namespace facemae {
namespace {

ListedPart part_at(const Path& path) {
  ListedPart part{.path = path};
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return part;
  part.changed = std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec;
  if (S_ISDIR(found.st_mode)) part.kind = ListedPart::Kind::Folder;
  if (!S_ISREG(found.st_mode)) return part;
  part.kind = ListedPart::Kind::File;
  part.bytes = static_cast<std::uint64_t>(found.st_size);
  return part;
}

}  // namespace

Listed state_of(const SourceKind& kind, const SourcePlaces& places) {
  const std::string end(1, '\0');
  Listed now{.request = kind.name + end + places.root.native(), .parts = {}};
  for (const Path& place : places.in) now.request += end + place.native();
  if (places.rules.nested) now.request += end + "--nested";
  if (places.rules.skip_empty) now.request += end + "--skip-empty";
  for (const Path& path : kind.parts(places)) now.parts.push_back(part_at(path));
  return now;
}

std::string change_since(const Listed& then, const Listed& now) {
  if (then.request != now.request) return "--from, --in, --root, --nested or --skip-empty are others";
  for (std::size_t i = 0; i < std::max(then.parts.size(), now.parts.size()); ++i) {
    if (i >= now.parts.size()) return then.parts[i].path.string() + " is gone";
    const ListedPart& part = now.parts[i];
    if (i >= then.parts.size()) return part.path.string() + " is new";
    const ListedPart& before = then.parts[i];
    if (before.path != part.path)
      return fmt::format("there is {} where {} was", part.path.string(), before.path.string());
    if (part.kind == ListedPart::Kind::Other) return part.path.string() + " is neither a file nor a folder";
    if (before.kind != part.kind || before.bytes != part.bytes || before.changed != part.changed)
      return part.path.string() + " has changed";
  }
  return "";
}

void list_images(const SourceKind& kind, const SourcePlaces& places, Listed now, FileSystem& files,
                 const Path& path, const Path& scratch) {
  try {
    CatalogueWriter catalogue(std::move(now), scratch);
    kind.list(places, catalogue);
    catalogue.write(files, path);
  } catch (const FileError& error) {
    if (error.code() != ENOSPC && error.code() != EDQUOT) throw;
    throw FileError(fmt::format("listing the images needs some 100 bytes for each, for a while, in {}: {}",
                                scratch.string(), error.what()),
                    error.code());
  }
}

std::unique_ptr<ImageSource> listed_source(const SourceKind& kind, const SourcePlaces& places) {
  std::error_code missing;
  const Path folder = std::filesystem::temp_directory_path(missing);
  if (missing)
    throw ConfigError("listing images: TMPDIR is no folder; set it to one with room for all names");
  const ScratchFile file(folder);
  list_images(kind, places, state_of(kind, places), real_files(), file.path(), folder);
  return kind.open(places, Catalogue(file.path()));
}

}  // namespace facemae
