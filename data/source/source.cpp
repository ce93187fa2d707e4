#include "data/source/source.h"

#include "core/error.h"

namespace facemae {
namespace {

constexpr SourceKind kSources[] = {
    {"folder", "PATH/<identity>/<image>.jpg, .jpeg or .png",
     [](const SourcePlaces& places) { return folder_source(places.in, places.rules); }, "", false, true},
    {"zip",
     "the same names inside of archives, under any further folders; --in takes archives, or folders of which all "
     "archives are taken. WebFace260M as delivered: put its folders 0 to 9 with their zips (0_0.zip ...) below one "
     "folder and name it; nothing is unpacked. 0 alone is WebFace4M, 0 1 2 are WebFace12M, all ten WebFace42M",
     [](const SourcePlaces& places) { return zip_source(places.in, places.show_progress); }},
    {"tar",
     "as zip; may be compressed (.tar.gz, .tgz, .tar.zst, .tar.xz, .tar.bz2, .tar.lz4). Or the tars of a WebDataset: "
     "000001.jpg beside 000001.cls (a class number) or 000001.json (\"label\", \"class\" or \"identity\")",
     [](const SourcePlaces& places) { return tar_source(places.in, places.show_progress); }},
    {"rec",
     "train.rec of MXNet or InsightFace, or the folder that holds it; train.idx is used if it is there",
     [](const SourcePlaces& places) { return rec_source(places.in.at(0), places.show_progress); },
     "class numbers of several .rec files need not mean the same people"},
    {"list",
     "lines of \"path label\" or \"path,label\", tables with a header (csv, tsv), train.lst of MXNet or InsightFace; labels "
     "are numbers or names",
     [](const SourcePlaces& places) { return list_source(places.in, places.root); }, "", true},
};

}  // namespace

std::span<const SourceKind> source_kinds() { return kSources; }

void ImageSource::stream(std::size_t, const std::function<void(Streamed)>&) const {
  throw Error("this source has no archives to stream");
}

}  // namespace facemae
