#pragma once
// Makes a catalogue out of the names of a set's images, in memory that does not grow with their number.
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/files/files.h"
#include "data/source/catalogue.h"
#include "data/source/name_sorter.h"

namespace facemae {

/// Takes images in any order. Not to be used by several threads at once.
class CatalogueWriter {
 public:
  /// `scratch`: a folder for temporary files, of 24 bytes and both names an image.
  CatalogueWriter(Listed listed, Path scratch, std::uint64_t run_bytes = 64ULL << 20)
      : listed_(std::move(listed)), scratch_(std::move(scratch)), sorter_(scratch_, run_bytes) {}
  /// `part`: which of parts() holds the image; `place`: where in it, if its source wants to know.
  void add(std::string_view identity, std::string_view image, std::uint32_t part, std::uint64_t place = 0) {
    ++listed_.parts.at(part).images;
    sorter_.add({identity, image, part, place});
  }
  /// Forgets all that was added.
  void start_over() {
    for (ListedPart& part : listed_.parts) part.images = 0;
    sorter_.start_over();
  }
  std::uint64_t size() const { return sorter_.size(); }
  const std::vector<ListedPart>& parts() const { return listed_.parts; }
  const Path& scratch() const { return scratch_; }

  /// Writes the catalogue of all images, synced, and ends the use of this object. Throws DataError when two images
  /// have one name, saying in which parts they are; FileError.
  void write(FileSystem& files, const Path& path);

 private:
  Listed listed_;
  Path scratch_;
  NameSorter sorter_;
};

}  // namespace facemae
