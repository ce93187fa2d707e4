#pragma once
// What a store records of each image beside its bytes and its label, by row, also through views; and which rows came
// from a source name.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/store/manifest_chain.h"
#include "data/store/shard_file.h"

namespace facemae {

class ImageRecords {
 public:
  /// Of a store that Store::open() has just found sound. Throws DataError like it.
  explicit ImageRecords(const Path& folder);

  std::uint64_t bytes(std::uint64_t row) const;
  /// data/image/jpeg_markers.h; none in a released store.
  std::optional<std::uint8_t> flags(std::uint64_t row) const;
  /// False in a released or joined store, which knows nothing of its sources.
  bool has_sources() const { return has_sources_; }
  /// For each source name, "identity/file name", the rows of its images, ascending; a store keeps the XXH64 of each.
  std::vector<std::vector<std::uint64_t>> rows_from(const std::vector<std::string>& sources) const;

 private:
  std::pair<const ShardIndex&, std::uint64_t> place(std::uint64_t row) const;

  std::vector<ChainLink> chain_;
  std::vector<ShardIndex> shards_;  ///< of the last link
  bool has_sources_ = false;
};

/// The rows of a store that words name, in their order: a row's number, or the source name of an image. Throws
/// ConfigError with those that name no image, with what may be meant, said of `what` ("--image").
std::vector<std::uint64_t> rows_named(const Store& store, const ImageRecords& records,
                                      const std::vector<std::string>& words, const std::string& what);

}  // namespace facemae
