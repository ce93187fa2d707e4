#pragma once
// Makes stores: from folders of images and from synthetic faces. Killed at any moment, the same call goes on.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/files.h"
#include "data/image.h"

namespace facemae {

/// Where images come from: a catalogue known beforehand and random access to the encoded bytes. read() is
/// called from several threads.
class ImageSource {
 public:
  struct Entry {
    std::int64_t label;
    std::string name;  ///< source-relative, for rejects and the source key
  };
  virtual ~ImageSource() = default;
  virtual const std::vector<std::string>& identity_names() const = 0;  ///< sorted; label = position
  virtual const std::vector<Entry>& entries() const = 0;
  /// Throws DataError or FileError: the image becomes a reject.
  virtual std::vector<std::byte> read(std::size_t entry) const = 0;
};

/// ROOT/<identity>/<image>.{jpg,jpeg,png}, several roots as one set. Throws ConfigError when there is none,
/// DataError for an empty identity folder, naming it.
std::unique_ptr<ImageSource> folder_source(const std::vector<Path>& roots);
/// Synthetic identities first..first+count-1, JPEG quality 95.
std::unique_ptr<ImageSource> synth_source(std::uint64_t seed, std::uint64_t first_identity,
                                          std::uint64_t identities, std::uint64_t images_per_identity);

struct PackConfig {
  Path out;
  std::uint64_t shard_bytes = 2048ULL << 20;
  std::uint64_t seed = 0;  ///< of the ingest shuffle
  int image_size = 0;      ///< 0: that of the first image; others are rejected unless `resize`
  bool resize = false;     ///< re-encode other sizes
  double max_reject_fraction = 0.001;
  std::string source_licence;
  int threads = 1;
  bool show_progress = true;
};

struct PackResult {
  std::uint64_t images = 0, bytes = 0, rejects = 0, duplicates = 0, shards = 0, resumed_shards = 0;
  std::int64_t identities = 0;
  double seconds = 0;
};

/// Decodes every image once to check it, writes shuffled shards (tmp, verify, fsync, rename, journal line),
/// the manifest last. Finished already: returns its figures when the catalogue and settings are the same,
/// else throws ConfigError. More rejects than allowed: DataError, nothing under the final names. rejects.csv
/// lists (source, reason).
PackResult pack(const ImageSource& source, const PackConfig& config, FileSystem& files);

}  // namespace facemae
