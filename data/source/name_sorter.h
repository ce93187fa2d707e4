#pragma once
// Sorts the names of any number of images in bounded memory.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/files/scratch_file.h"
#include "data/source/pieces.h"

namespace facemae {

struct NamedImage {
  std::string_view identity, image;
  std::uint32_t part = 0;
  std::uint64_t place = 0;
  auto key() const { return std::pair(identity, image); }
};

/// Sorts runs of names in memory and writes them to a temporary file, of 24 bytes and both names an image; merges
/// them at the end. Names that come in order make one run.
class NameSorter {
 public:
  /// A run takes `run_bytes` of memory, or twice that.
  NameSorter(const Path& folder, std::uint64_t run_bytes)
      : run_bytes_(run_bytes), file_(folder), sorted_(real_files(), file_.path()) {}
  void add(const NamedImage& image);
  std::uint64_t size() const { return size_; }
  /// Forgets all images; what was written of them stays in the temporary file, unread.
  void start_over();
  /// Hands over all images, by identity, then by image name. Ends the use of this object.
  void merge(const std::function<void(const NamedImage&)>& take);

 private:
  struct Kept {
    std::uint64_t text, place;
    std::uint32_t identity_bytes, image_bytes, part;
  };
  NamedImage image_of(const Kept& kept) const;
  void end_run();

  std::uint64_t run_bytes_, size_ = 0;
  std::vector<Kept> kept_;  ///< of the run that is being gathered
  std::string text_;        ///< its names
  ScratchFile file_;
  Pieces sorted_;
  std::vector<std::uint64_t> runs_;         ///< where each begins in the file
  std::string last_identity_, last_image_;  ///< of the run before
};

}  // namespace facemae
