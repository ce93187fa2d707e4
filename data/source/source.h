#pragma once
// Where images come from: names known beforehand and the encoded bytes, read at random or streamed.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "data/image/landmarks.h"

namespace facemae {

/// Entries 0..size()-1 in catalogue order: sorted by identity name, then by image name. Const calls are safe
/// from several threads.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual std::uint64_t identities() const = 0;
  virtual std::string identity_name(std::uint64_t label) const = 0;  ///< in order of the labels
  std::vector<std::string> identity_names() const;                   ///< all of them, in memory
  virtual std::uint64_t size() const = 0;                            ///< images
  virtual std::int64_t label(std::uint64_t entry) const = 0;
  /// Relative to the source, for rejects and the source key: "<identity>/<image>.jpg".
  virtual std::string name(std::uint64_t entry) const = 0;
  /// Of all names and labels (data/source/names_digest.h). Goes through all of them unless a source knows better.
  virtual Hash128 digest() const;

  /// Archives, each read once, front to back, by one reader; 0: entries are read at random instead.
  virtual std::size_t archives() const { return 0; }
  /// The encoded image (archives() == 0 only). Throws DataError, or FileError that no waiting cures: the
  /// image becomes a reject. A FileError that may pass is the storage's.
  virtual std::vector<std::byte> read(std::uint64_t entry) const = 0;
  /// One image of an archive, or why it could not be read.
  struct Streamed {
    std::uint64_t entry = 0;
    std::vector<std::byte> bytes;
    std::string reject;  ///< "" when `bytes` hold the image
  };
  /// Hands over every entry of an archive, in the archive's order. Throws DataError when the archive
  /// itself cannot be read on, FileError when the storage fails; exceptions of `take` pass through.
  virtual void stream(std::size_t archive, const std::function<void(Streamed)>& take) const;
};

/// What folder_source does with what is not ROOT/<identity>/<image>.
struct FolderRules {
  bool nested = false;      ///< images in folders of an identity's folder are its images, too
  bool skip_empty = false;  ///< identity folders without images are passed over
};
// Sources that list their images at once, into a catalogue that nobody else sees. All throw FileError, and DataError
// when two images have one name. Commands take the steps of data/source/source_kind.h instead.

/// ROOT/<identity>/<image>.{jpg,jpeg,png}, several roots as one set. Hidden and system folders and what is no
/// such image are left out; a summary of them is logged. Throws ConfigError when there is no image, DataError
/// for an empty identity folder, naming it, FileError for a folder that cannot be listed.
std::unique_ptr<ImageSource> folder_source(const std::vector<Path>& roots, const FolderRules& rules = {});
/// Archives of <identity>/<image>.{jpg,jpeg,png}, under any further folders; several archives, and all
/// archives below a given folder, as one set. Other members are left out. Throws ConfigError (no such
/// archive, no image in it), DataError (damaged, truncated or encrypted; compressed by an unusual method; a
/// member's name that leaves its folder; two images of one name).
std::unique_ptr<ImageSource> zip_source(const std::vector<Path>& archives, bool show_progress = true);
/// The same; may be compressed by gzip, bzip2, xz, zstd or lz4, and is then read in full to be listed. Where folders
/// are no identities, the .cls or .json of a WebDataset's samples gives them (sample_classes.h).
std::unique_ptr<ImageSource> tar_source(const std::vector<Path>& archives, bool show_progress = true);
/// MXNet RecordIO: a .rec file, or a folder with one, in either dialect; the .idx beside it is used when
/// there is one. Identities are its class numbers, padded with zeros; image names are its keys. Class numbers
/// without images are closed up, with a warning; so are float32 numbers too large to be exact. Throws
/// ConfigError (no such file, no images), DataError (damaged, truncated, an .idx of another file, labels that
/// are no class numbers).
std::unique_ptr<ImageSource> rec_source(const Path& rec, bool show_progress = true);
/// Text files with a path and a label on each line (data/formats/image_list.h has the forms). Relative paths are
/// taken from `root`, or when that is empty from the list's own folder, and for a pipe from the working folder.
/// Labels are numbers when all are (0..C-1, or any: gaps are closed up), else names. A list is read twice; a
/// pipe once, into memory. Throws ConfigError (no such file, no images), DataError (a line that is unclear, an
/// image listed twice).
std::unique_ptr<ImageSource> list_source(const std::vector<Path>& lists, const Path& root = {});
/// The images of `inner`, each warped to the 112 x 112 ArcFace position by its landmarks and encoded again
/// (JPEG of quality 95, PNG where it was one). Names are looked up as <identity>/<image>, then as the file
/// name, each also without its ending. Images without landmarks become rejects. With `check`, which goes through all
/// names and need be done on one rank only, throws ConfigError when no image has any, or one line fits several images.
std::unique_ptr<ImageSource> aligned_source(std::unique_ptr<ImageSource> inner, Landmarks landmarks,
                                            bool check = true);

/// Synthetic identities first..first+count-1, JPEG quality 95.
std::unique_ptr<ImageSource> synth_source(std::uint64_t seed, std::uint64_t first_identity,
                                          std::uint64_t identities, std::uint64_t images_per_identity);

}  // namespace facemae
