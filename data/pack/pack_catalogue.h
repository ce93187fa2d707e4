#pragma once
// The catalogue of what a pack reads: OUT/packing/catalogue.bin, written by the first rank and mapped by all.
#include "core/files/files.h"
#include "data/source/source_kind.h"

namespace facemae {

Path catalogue_of(const Path& out);

/// For the first rank, which holds the lock of `out`, after Journal::prepare(). Keeps the catalogue of an earlier start
/// if nothing shows that it is no longer true (change_since() in data/source/listing.h), else makes a new one, which
/// exists completely or not at all. Throws like the source (data/source/source.h).
void list_for_pack(FileSystem& files, const Path& out, const SourceKind& kind, const SourcePlaces& places);

/// For every rank, afterwards.
std::unique_ptr<ImageSource> open_for_pack(const Path& out, const SourceKind& kind,
                                           const SourcePlaces& places);

}  // namespace facemae
