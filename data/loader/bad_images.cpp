#include "data/loader/bad_images.h"

#include <algorithm>
#include <utility>

#include "core/log.h"

namespace facemae {

void BadImages::note(std::uint64_t row, std::uint64_t ordinal, const DataError& why) {
  spdlog::error("row {} of {} (shard {}, ordinal {}) is bad, another image replaces it: {}", row,
                store_.folder().string(), store_.shard_of(row), ordinal, why.what());
  const std::scoped_lock lock(mutex_);
  bad_rows_.insert(row);
  const double read = static_cast<double>(std::min<std::uint64_t>(read_, store_.size()));
  if (bad_rows_.size() <= kAlwaysBorne || static_cast<double>(bad_rows_.size()) <= max_fraction_ * read)
    return;
  throw DataError(fmt::format(
      "{} of {} images read from {} are bad, more than --max-bad-fraction {:g} allows; "
      "the last one is row {}: {}. `facemae store verify` lists them all, --repair-from restores shards",
      bad_rows_.size(), read_.load(), store_.folder().string(), max_fraction_, row, why.what()));
}

void BadImages::note(std::uint64_t row, std::uint64_t ordinal, const ShardUnreadable& why) {
  {
    const std::scoped_lock lock(mutex_);
    if (!failed_shards_.insert(why.shard()).second) return;
    failures_.push_back({.shard = why.shard(), .reason = why.what()});
  }
  spdlog::error(
      "shard {} of {} cannot be read (first met at row {}, ordinal {}), images of other shards replace its own: {}",
      why.shard(), store_.folder().string(), row, ordinal, why.what());
}

std::vector<ShardFailure> BadImages::take_failures() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(failures_, {});
}

}  // namespace facemae
