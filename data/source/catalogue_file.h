#pragma once
// The layout of a catalogue's file: entries, the offset of every 16th, identities, their names, parts, request, End.
// Numbers are little-endian, at any alignment.
#include <cstdint>

#include "core/checksum.h"

namespace facemae::catalogue_file {

inline constexpr std::uint64_t kIndexed = 16;  ///< every so many entries have their offset in the index

struct Entry {  ///< the image's name follows
  std::uint64_t place;
  std::uint32_t part, image_bytes;
};
struct Identity {
  std::uint64_t first_entry, name_end;  ///< name_end: among the names of all identities
};
struct Part {  ///< the path follows
  std::uint64_t bytes, images;
  std::int64_t changed;
  std::uint32_t kind, path_bytes;
};
struct End {
  char magic[8] = {'F', 'M', 'C', 'A', 'T', 'L', 'O', 'G'};
  std::uint64_t version = 1, entries = 0, identities = 0, parts = 0;
  std::uint64_t index_at = 0, identities_at = 0, names_at = 0, parts_at = 0, request_at = 0, end_at = 0;
  Hash128 names_digest;  ///< names_digest.h
  Hash128 body_digest;   ///< of all that comes before parts_at
  Hash128 own_digest;    ///< of all that comes from parts_at on, up to here
};
static_assert(sizeof(Entry) == 16 && sizeof(Identity) == 16 && sizeof(Part) == 32 && sizeof(End) == 136);

}  // namespace facemae::catalogue_file
