#pragma once
// Decides which row is used at an ordinal when images or whole shards cannot be read: a pure function of the
// ordinal and the quarantine, so that every rank, any number of ranks and every resume see the same batches.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/order/order.h"

namespace facemae {

/// What a reader reports when reading from a shard keeps failing.
struct ShardFailure {
  std::size_t shard = 0;
  std::string reason;
};

/// From `from_ordinal` on, no row of this shard is used.
struct Quarantined {
  std::size_t shard = 0;
  std::uint64_t from_ordinal = 0;
  bool operator==(const Quarantined&) const = default;
};

/// A value: copies are independent, const calls are safe from many threads.
class Quarantine {
 public:
  using ShardOf = std::function<std::size_t(std::uint64_t row)>;  ///< must be safe from many threads

  /// For a run with this order and seed, with no shard in quarantine.
  Quarantine(Order order, std::uint64_t seed, ShardOf shard_of);

  /// Of two ordinals for one shard the earlier one holds.
  void add(Quarantined entry);
  const std::vector<Quarantined>& entries() const noexcept { return entries_; }  ///< ascending by shard
  bool covers(std::size_t shard, std::uint64_t ordinal) const noexcept;

  /// Attempt 0: the row of the order, or its first substitute if its shard is in quarantine at this
  /// ordinal. Attempt k > 0: the k-th row after that one, for when the earlier rows turn out to be
  /// unreadable. Substitutes are drawn from all rows of healthy shards, without repetition. Throws
  /// DataError when none are left.
  std::uint64_t row_for(std::uint64_t ordinal, int attempt = 0) const;

 private:
  Order order_;
  std::uint64_t seed_;
  ShardOf shard_of_;
  std::vector<Quarantined> entries_;
};

}  // namespace facemae
