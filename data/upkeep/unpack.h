#pragma once
// Turns a store back into what others read: folders of images, a .rec of MXNet, or a tar of WebDataset.
#include <cstdint>
#include <string>

#include "core/files/files.h"
#include "data/store/store.h"

namespace facemae {

enum class UnpackTo {
  Folder,  ///< OUT/<identity>/<number>.jpg or .png
  Rec,     ///< OUT/train.rec, .idx, .lst and property, as InsightFace lays them out
  Tar,     ///< OUT: <identity>/<row>.jpg and <identity>/<row>.cls, in the store's shuffled order
};

struct UnpackResult {
  std::uint64_t images = 0, bytes = 0;  ///< bytes of images
  std::int64_t identities = 0;
  double seconds = 0;
};

/// Writes every image of the store, byte for byte, under a temporary name beside OUT (temporary_file.h),
/// makes it durable and renames it to OUT; on failure it is removed. Identities without names (those of a
/// released store) are named by their numbers. Throws ConfigError (OUT exists, too little space, a set that
/// the format cannot hold), DataError and FileError.
UnpackResult unpack(const Store& store, UnpackTo format, const Path& out, FileSystem& files,
                    bool show_progress = true);

/// How records are numbered and labelled in a .rec.
enum class RecDialect {
  InsightFace,  ///< record 0 is a header, images are 1..n, identity records follow
  Plain,        ///< images are 0..n-1: for what InsightFace's numbers, in float32, cannot count
};
/// Throws ConfigError when float32 cannot hold the class numbers either.
RecDialect choose_dialect(std::uint64_t images, std::uint64_t identities);

}  // namespace facemae
