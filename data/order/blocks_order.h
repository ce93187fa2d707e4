#pragma once
// Computes the `blocks` order: an epoch in which rows that lie together in the store are read together, yet
// come in an order that resembles a shuffle. For large stores on shared disks.
#include <cstdint>

namespace facemae {

/// The store is cut into blocks of K consecutive rows. Ordinal q of an epoch belongs to lane q mod L, as its
/// cycle t = q / L. A lane takes B = floor(N / K / L) blocks an epoch, block Feistel_e(l + L j) as its j-th,
/// and shuffles the rows of H = 4 blocks at a time: a lane is a stream of large reads that looks back H
/// blocks. The rest (blocks that lanes do not divide, and rows behind the last whole block) is a Feistel
/// permutation of its own; it fills whole cycles at a place that changes with the epoch, and the unfinished
/// last cycle. Every row exactly once per epoch for every N; below L K rows all is rest. O(1) memory.
class BlocksOrder {
 public:
  static constexpr std::uint64_t kWindowBlocks = 4;  ///< H

  /// Throws ConfigError when `lanes` (L) or `block` (K) is 0.
  BlocksOrder(std::uint64_t rows, std::uint64_t seed, std::uint64_t lanes, std::uint64_t block);
  std::uint64_t row(std::uint64_t ordinal) const noexcept;
  std::uint64_t rows() const noexcept { return rows_; }
  std::uint64_t lanes() const noexcept { return lanes_; }
  std::uint64_t block() const noexcept { return block_; }
  std::uint64_t rest_rows() const noexcept { return rows_ - lanes_ * lane_rows_; }  ///< of an epoch

 private:
  std::uint64_t row_of_rest(std::uint64_t epoch, std::uint64_t index) const noexcept;

  std::uint64_t rows_, seed_, lanes_, block_;
  std::uint64_t blocks_;       ///< whole blocks of the store
  std::uint64_t lane_rows_;    ///< K B: rows of a lane in an epoch
  std::uint64_t cycles_;       ///< whole cycles of an epoch
  std::uint64_t rest_cycles_;  ///< those among them that are rest
};

}  // namespace facemae
