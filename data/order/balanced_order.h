#pragma once
// Draws every identity equally often, K of its images together (the balanced order), for small studies.
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace facemae {

/// Rows by identity; spans live as long as the store. Safe from many threads.
struct IdentityRows {
  std::int64_t count = 0;
  std::function<std::span<const std::uint64_t>(std::int64_t label)> rows_of;
};

/// Ordinals come in groups of K images of one identity. A round visits every identity that has rows once, in
/// the order of Feistel_round; so a batch of P K ordinals has P identities, all different unless a round ends
/// in it. Visits to an identity go through its images in an order that is new each time all have been used: K
/// different images per visit, or all of them in turn where it has fewer. Rows without a label do not occur.
class BalancedOrder {
 public:
  /// Throws ConfigError when `images_per_identity` (K) is 0, DataError when no identity has a row.
  BalancedOrder(IdentityRows identities, std::uint64_t seed, std::uint64_t images_per_identity);
  std::uint64_t row(std::uint64_t ordinal) const;

 private:
  IdentityRows identities_;
  std::uint64_t seed_, images_;
  std::vector<std::int64_t> labels_;  ///< of identities that have rows; empty: all of them have
};

}  // namespace facemae
