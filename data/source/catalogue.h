#pragma once
// The names of a set's images, sorted, in a file that all ranks of a node map and so share: nothing of it is in a
// rank's own memory (docs/FORMATS.md, "An unfinished pack").
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/checksum.h"
#include "core/files/files.h"
#include "data/source/catalogue_file.h"

namespace facemae {

/// A folder, archive or list that holds images, and its state when they were listed.
struct ListedPart {
  enum class Kind : std::uint32_t { File, Folder, Other };  ///< another one, as a pipe, cannot be compared
  Path path;
  Kind kind = Kind::Other;
  std::uint64_t bytes = 0;   ///< of a file
  std::int64_t changed = 0;  ///< nanoseconds since 1970
  std::uint64_t images = 0;  ///< that were listed
};
/// What a catalogue lists.
struct Listed {
  std::string request;  ///< kind of source and places, as the user named them
  std::vector<ListedPart> parts;
};

/// Entries 0..size()-1 are in order of identity, then image name. Copies are cheap and share the mapping; const
/// calls are safe from several threads.
class Catalogue {
 public:
  /// Maps what CatalogueWriter has written. Throws DataError when it is another file or cut off, FileError.
  explicit Catalogue(const Path& path);
  /// Reads all of it; the constructor reads the end only. Throws DataError unless it is as it was written.
  void verify() const;

  std::uint64_t size() const { return end_.entries; }
  std::uint64_t identities() const { return end_.identities; }
  std::string_view identity_name(std::uint64_t label) const;
  std::int64_t label(std::uint64_t entry) const;
  std::string_view image(std::uint64_t entry) const { return at(entry).image; }
  std::uint32_t part(std::uint64_t entry) const { return at(entry).part; }    ///< index of listed().parts
  std::uint64_t place(std::uint64_t entry) const { return at(entry).place; }  ///< in its part: see the source
  std::string name(std::uint64_t entry) const;                                ///< "<identity>/<image>"
  std::optional<std::uint64_t> find(std::string_view identity, std::string_view image) const;
  Hash128 digest() const { return end_.names_digest; }  ///< of all names and labels (names_digest.h)
  const Listed& listed() const { return *listed_; }

 private:
  struct Found {
    std::string_view image;
    std::uint32_t part = 0;
    std::uint64_t place = 0;
  };
  Found at(std::uint64_t entry) const;
  template <class T>
  T value(std::uint64_t offset) const;
  std::string_view text(std::uint64_t offset, std::uint64_t bytes) const;
  catalogue_file::Identity identity(std::uint64_t label) const;
  std::uint64_t first_entry(std::uint64_t label) const;

  Path path_;
  std::shared_ptr<const std::byte> file_;
  catalogue_file::End end_;
  std::shared_ptr<const Listed> listed_;
};

}  // namespace facemae
