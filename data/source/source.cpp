#include "data/source/source.h"

#include "core/error.h"
#include "core/kinds.h"
#include "data/source/listing.h"
#include "data/source/names_digest.h"
#include "data/source/source_kind.h"

namespace facemae {
namespace {

std::vector<Path> given(const SourcePlaces& places) { return places.in; }

constexpr SourceKind kSources[] = {
    {"folder", "PATH/<identity>/<image>.jpg, .jpeg or .png", given, list_folders, open_folders, "", false,
     true},
    {"zip",
     "the same names inside of archives, under any further folders; --in takes archives, or folders of which all "
     "archives are taken. WebFace260M as delivered: put its folders 0 to 9 with their zips (0_0.zip ...) below one "
     "folder and name it; nothing is unpacked. 0 alone is WebFace4M, 0 1 2 are WebFace12M, all ten WebFace42M",
     find_zips, list_zips, open_zips},
    {"tar",
     "as zip; may be compressed (.tar.gz, .tgz, .tar.zst, .tar.xz, .tar.bz2, .tar.lz4). Or the tars of a WebDataset: "
     "000001.jpg beside 000001.cls (a class number) or 000001.json (\"label\", \"class\" or \"identity\")",
     find_tars, list_tars, open_tars},
    {"rec",
     "train.rec of MXNet or InsightFace, or the folder that holds it; train.idx is used if it is there",
     find_rec, list_rec, open_rec, "class numbers of several .rec files need not mean the same people"},
    {"list",
     "lines of \"path label\" or \"path,label\", tables with a header (csv, tsv), train.lst of MXNet or InsightFace; labels "
     "are numbers or names",
     given, list_lists, open_lists, "", true},
};

std::unique_ptr<ImageSource> listed(const char* kind, const SourcePlaces& places) {
  return listed_source(row_of(source_kinds(), kind, "choosing the source of images"), places);
}

}  // namespace

std::span<const SourceKind> source_kinds() { return kSources; }

std::vector<std::string> ImageSource::identity_names() const {
  std::vector<std::string> names;
  for (std::uint64_t label = 0; label < identities(); ++label) names.push_back(identity_name(label));
  return names;
}

Hash128 ImageSource::digest() const {
  NamesDigest digest(identities());
  for (std::uint64_t label = 0; label < identities(); ++label) digest.identity(identity_name(label));
  for (std::uint64_t entry = 0; entry < size(); ++entry) digest.image(label(entry), name(entry));
  return digest.digest();
}

void ImageSource::stream(std::size_t, const std::function<void(Streamed)>&) const {
  throw Error("this source has no archives to stream");
}

std::unique_ptr<ImageSource> folder_source(const std::vector<Path>& roots, const FolderRules& rules) {
  return listed("folder", {.in = roots, .rules = rules});
}
std::unique_ptr<ImageSource> zip_source(const std::vector<Path>& archives, bool show_progress) {
  return listed("zip", {.in = archives, .show_progress = show_progress});
}
std::unique_ptr<ImageSource> tar_source(const std::vector<Path>& archives, bool show_progress) {
  return listed("tar", {.in = archives, .show_progress = show_progress});
}
std::unique_ptr<ImageSource> rec_source(const Path& rec, bool show_progress) {
  return listed("rec", {.in = {rec}, .show_progress = show_progress});
}
std::unique_ptr<ImageSource> list_source(const std::vector<Path>& lists, const Path& root) {
  return listed("list", {.in = lists, .root = root});
}

}  // namespace facemae
