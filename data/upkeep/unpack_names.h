#pragma once
// Names the images and identities of a store as they are called outside of it.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "data/store/store.h"

namespace facemae {

/// Names in file systems and archives, with all numbers padded so that names sort in numerical order.
class UnpackNames {
 public:
  /// Throws DataError when an identity's name is not a plain folder name ("..", a slash) or occurs twice.
  explicit UnpackNames(const Store& store);

  /// The name; the number if the store has no names; "unlabelled" for -1.
  std::string identity(std::int64_t label) const;
  std::string number(std::uint64_t within_identity) const;
  std::string row(std::uint64_t row) const;
  /// -1 if some rows have no identity, otherwise 0.
  std::int64_t first_label() const { return unlabelled_.empty() ? 0 : -1; }
  std::span<const std::uint64_t> rows_of(std::int64_t label) const;

 private:
  const Store& store_;
  std::vector<std::uint64_t> unlabelled_;  ///< rows
  std::size_t identity_width_ = 1, number_width_ = 1, row_width_ = 1;
};

/// ".png" or ".jpg", depending on the first bytes.
std::string image_ending(Bytes image);

}  // namespace facemae
