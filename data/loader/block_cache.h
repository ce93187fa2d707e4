#pragma once
// Keeps blocks of consecutive rows, each read in one piece, until their rows have been used: this makes an
// order of blocks cheap on storage that is slow to seek.
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "data/store/store.h"

namespace facemae {

/// Safe from many threads.
class BlockCache {
 public:
  /// Rows [k block, (k + 1) block) are used soon after one another, each once. Holds at most `bytes` of them.
  BlockCache(const Store& store, std::uint64_t block, std::size_t bytes);

  /// The block that holds the row, read now if it is not there. Null when the row must be read on its own:
  /// the cache is full of blocks in use, the rows of this store do not lie together, or it is unreadable.
  std::shared_ptr<const RowBlock> with(std::uint64_t row, ReadFigures& figures);
  std::size_t bytes() const;  ///< held now

 private:
  struct Entry {
    std::shared_ptr<const RowBlock> block;
    bool loading = true;
    std::uint64_t rows = 0, served = 0, last_used = 0;
    std::size_t bytes = 0;
  };
  bool make_room();
  std::shared_ptr<const RowBlock> read(std::uint64_t first, std::uint64_t count, ReadFigures& figures) const;

  const Store& store_;
  const std::uint64_t block_;
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable loaded_;
  std::map<std::uint64_t, std::shared_ptr<Entry>> entries_;  ///< by first row
  std::size_t held_bytes_ = 0;
  std::size_t block_bytes_ = 0;  ///< of a mean block, or the largest so far: what the next may need
  std::uint64_t clock_ = 0;      ///< calls of with()
};

}  // namespace facemae
