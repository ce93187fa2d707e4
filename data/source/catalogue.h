#pragma once
// The names of a set's images, sorted and compact: 16 bytes an image beside its file name, so that 260
// million fit into the memory of a node.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace facemae {

/// Filled by add(), then closed by sort(); from then on entries are in order of identity, then image name,
/// and const calls are safe from several threads.
class Catalogue {
 public:
  /// `part`: which of the set's folders, archives or lists holds the image. Names hold no zero bytes.
  void add(std::string_view identity, std::string_view image, std::uint32_t part);
  /// Throws DataError when two images have the same names, saying in which parts they are.
  void sort(const std::vector<std::string>& part_names);

  const std::vector<std::string>& identity_names() const { return identities_; }
  std::uint64_t size() const { return entries_.size(); }
  std::int64_t label(std::uint64_t entry) const { return entries_.at(entry).identity; }
  std::string_view image(std::uint64_t entry) const { return text_.data() + entries_.at(entry).text; }
  std::uint32_t part(std::uint64_t entry) const { return entries_.at(entry).part; }
  std::string name(std::uint64_t entry) const;  ///< "<identity>/<image>"
  std::optional<std::uint64_t> find(std::string_view identity, std::string_view image) const;

 private:
  struct Entry {
    std::uint64_t text;  ///< place in text_
    std::uint32_t identity, part;
  };
  std::vector<std::string> identities_;
  std::unordered_map<std::string, std::uint32_t> numbers_;  ///< of identities, until sort()
  std::uint32_t latest_ = 0;                                ///< the identity added last
  std::vector<Entry> entries_;
  std::string text_;  ///< image names, each ended by a zero byte
};

}  // namespace facemae
