#pragma once
// Where images come from: a catalogue known beforehand and the encoded bytes, read at random or streamed.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/files.h"

namespace facemae {

/// Entries 0..size()-1 in catalogue order: sorted by identity name, then by image name. Const calls are safe
/// from several threads.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual const std::vector<std::string>& identity_names() const = 0;  ///< sorted; label = position
  virtual std::uint64_t size() const = 0;                              ///< images
  virtual std::int64_t label(std::uint64_t entry) const = 0;
  /// Relative to the source, for rejects and the source key: "<identity>/<image>.jpg".
  virtual std::string name(std::uint64_t entry) const = 0;

  /// Archives, each read once, front to back, by one reader; 0: entries are read at random instead.
  virtual std::size_t archives() const { return 0; }
  /// The encoded image (archives() == 0 only). Throws DataError or FileError: the image becomes a reject.
  virtual std::vector<std::byte> read(std::uint64_t entry) const = 0;
  /// One image of an archive, or why it could not be read.
  struct Streamed {
    std::uint64_t entry = 0;
    std::vector<std::byte> bytes;
    std::string reject;  ///< "" when `bytes` hold the image
  };
  /// Hands over every entry of an archive, in the archive's order. Throws DataError or FileError when the
  /// archive itself cannot be read on; exceptions of `take` pass through.
  virtual void stream(std::size_t archive, const std::function<void(Streamed)>& take) const;
};

/// ROOT/<identity>/<image>.{jpg,jpeg,png}, several roots as one set. Throws ConfigError when there is none,
/// DataError for an empty identity folder, naming it.
std::unique_ptr<ImageSource> folder_source(const std::vector<Path>& roots);
/// Synthetic identities first..first+count-1, JPEG quality 95.
std::unique_ptr<ImageSource> synth_source(std::uint64_t seed, std::uint64_t first_identity,
                                          std::uint64_t identities, std::uint64_t images_per_identity);

}  // namespace facemae
