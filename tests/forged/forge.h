#pragma once
// Stores that somebody forged: copies of a good one with other counts, names, shapes, types, links and places
// than the program writes, sealed and digested anew, so that nothing but a look at each value can tell.
#include <map>
#include <string>

#include "core/files/files.h"
#include "core/random/keys.h"
#include "data/hdf5/seal.h"

namespace facemae::forged {

/// Files of a store and of two views, by path, without their seals.
struct Files {
  std::map<std::string, std::string> bytes;
  std::map<std::string, FileRange> unsealed;   ///< what the seals leave out
  std::map<std::string, std::string> instead;  ///< no file there but: missing, pipe, folder, loop
};
inline constexpr const char* kFolders[] = {"store", "view1", "view2"};

/// A store of two shards, a view of it, and a view of that view, written below `folder`.
Files original(const Path& folder);

/// Forges `files` in a way that follows from `draws` alone; says what it did. `scratch` is a folder.
std::string forge(Files& files, Draws& draws, const Path& scratch);

/// Digests are put right, in every file that quotes them, as far as the files can still be read.
void digest_anew(Files& files, const Path& scratch);

/// Writes all files below `folder`, with seals.
void write_sealed(const Files& files, const Path& folder);

/// Opens an unsealed file by libhdf5 and makes of it what libhdf5 can write and this program does not.
std::string rewrite_by_hdf5(std::string& bytes, Draws& draws, const Path& scratch);

}  // namespace facemae::forged
