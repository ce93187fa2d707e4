#pragma once
// Handles images and shards that a loader cannot use: names them, counts them, and says when there
// are too many.
#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/error.h"
#include "data/order/quarantine.h"
#include "data/store/shard_reader.h"
#include "data/store/store.h"

namespace facemae {

/// Safe from many threads.
class BadImages {
 public:
  /// This many different bad images are tolerated in any case: one flaw must not end a study on a small set.
  static constexpr std::size_t kAlwaysBorne = 3;

  BadImages(const Store& store, double max_fraction) : store_(store), max_fraction_(max_fraction) {}
  void count_read() noexcept { ++read_; }
  /// Logs an image that is damaged for good. Throws DataError when there are more different bad images than
  /// kAlwaysBorne and than max_fraction of the images read (of those of the store, once all have been read).
  void note(std::uint64_t row, std::uint64_t ordinal, const DataError& why);
  /// Logs a shard that cannot be read, once, and keeps it for take_failures(). None of its images
  /// counts as bad.
  void note(std::uint64_t row, std::uint64_t ordinal, const ShardUnreadable& why);
  /// Shards that have become unreadable since the last call.
  std::vector<ShardFailure> take_failures();

 private:
  const Store& store_;
  const double max_fraction_;
  std::atomic<std::uint64_t> read_ = 0;
  std::mutex mutex_;
  std::unordered_set<std::uint64_t> bad_rows_;
  std::set<std::size_t> failed_shards_;
  std::vector<ShardFailure> failures_;
};

}  // namespace facemae
