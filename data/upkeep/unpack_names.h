#pragma once
// What the images and identities of a store are called outside of it.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "data/store/store.h"

namespace facemae {

/// Names in file systems and archives, all numbers padded so that names sort as they count.
class UnpackNames {
 public:
  /// Throws DataError when an identity's name is no plain folder name ("..", with a slash), or two are equal.
  explicit UnpackNames(const Store& store);

  /// The name, the number where the store has no names, "unlabelled" for -1.
  std::string identity(std::int64_t label) const;
  std::string number(std::uint64_t within_identity) const;
  std::string row(std::uint64_t row) const;
  /// -1 when some rows have no identity, else 0.
  std::int64_t first_label() const { return unlabelled_.empty() ? 0 : -1; }
  std::span<const std::uint64_t> rows_of(std::int64_t label) const;

 private:
  const Store& store_;
  std::vector<std::uint64_t> unlabelled_;  ///< rows
  std::size_t identity_width_ = 1, number_width_ = 1, row_width_ = 1;
};

/// ".png" or ".jpg", by the first bytes.
std::string image_ending(Bytes image);

}  // namespace facemae
