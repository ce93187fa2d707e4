#include "data/order/quarantine.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"

namespace facemae {

Quarantine::Quarantine(Order order, std::uint64_t seed, ShardOf shard_of)
    : order_(std::move(order)), seed_(seed), shard_of_(std::move(shard_of)) {}

void Quarantine::add(Quarantined entry) {
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), entry.shard,
                       [](const Quarantined& known, std::size_t shard) { return known.shard < shard; });
  if (at != entries_.end() && at->shard == entry.shard) {
    at->from_ordinal = std::min(at->from_ordinal, entry.from_ordinal);
  } else {
    entries_.insert(at, entry);
  }
}

bool Quarantine::covers(std::size_t shard, std::uint64_t ordinal) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Quarantined& entry) {
    return entry.shard == shard && entry.from_ordinal <= ordinal;
  });
}

std::uint64_t Quarantine::row_for(std::uint64_t ordinal, int attempt) const {
  const auto usable = [&](std::uint64_t row) { return entries_.empty() || !covers(shard_of_(row), ordinal); };
  const std::uint64_t own = order_.row(ordinal);
  if (usable(own) && attempt-- == 0) return own;
  const Permutation others(order_.rows(), key_of(seed_, Purpose::Spare, ordinal));
  for (std::uint64_t i = 0; i < order_.rows(); ++i) {
    const std::uint64_t row = others(i);
    if (row != own && usable(row) && attempt-- == 0) return row;
  }
  throw DataError(fmt::format(
      "looking for an image to replace row {} (ordinal {}): none of {} rows is left, and {} shard(s) are in quarantine; "
      "repair the store with `facemae store verify --repair-from`",
      own, ordinal, order_.rows(), entries_.size()));
}

}  // namespace facemae
