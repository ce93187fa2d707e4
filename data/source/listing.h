#pragma once
// Lists the images of a source into a catalogue, and tells whether a catalogue is still true.
#include <memory>
#include <string>

#include "core/files/files.h"
#include "data/source/source_kind.h"

namespace facemae {

/// What is to be listed, and the state that it is in now.
Listed state_of(const SourceKind& kind, const SourcePlaces& places);
/// What differs from when a catalogue was made, as a sentence; "" if nothing shows. Sizes and times of archives, lists
/// and .rec files are compared, and the times of root folders, which do not show changes further down.
std::string change_since(const Listed& then, const Listed& now);

/// Lists what `state_of` described and writes the catalogue, synced. `scratch`: a folder for temporary files.
void list_images(const SourceKind& kind, const SourcePlaces& places, Listed now, FileSystem& files,
                 const Path& path, const Path& scratch);
/// Lists and opens, with a catalogue in a file without a name in the folder for temporary files ($TMPDIR).
std::unique_ptr<ImageSource> listed_source(const SourceKind& kind, const SourcePlaces& places);

}  // namespace facemae
