#include "data/loader/block_cache.h"

#include <algorithm>

namespace facemae {
namespace {

/// A block counts as left over when it has not been touched while every block held could have been touched
/// this often: it dates from before a resume, or other images replaced some of its rows.
constexpr std::uint64_t kIdleRounds = 64;

}  // namespace

BlockCache::BlockCache(const Store& store, std::uint64_t block, std::size_t bytes)
    : store_(store), block_(block), most_bytes_(bytes) {
  std::uint64_t stored = 0, images = 0;
  for (const auto& shard : store.shards()) stored += shard.bytes, images += shard.images;
  block_bytes_ = images > 0 ? stored / images * block : 0;
}

/// Whether one more block fits, once those left over are removed.
bool BlockCache::make_room() {
  const auto fits = [&] { return held_bytes_ + block_bytes_ <= most_bytes_; };
  for (auto at = entries_.begin(); at != entries_.end() && !fits();) {
    const Entry& entry = *at->second;
    if (entry.loading || clock_ - entry.last_used <= kIdleRounds * entries_.size()) {
      ++at;
      continue;
    }
    held_bytes_ -= entry.bytes;
    at = entries_.erase(at);
  }
  return fits();
}

std::shared_ptr<const RowBlock> BlockCache::read(std::uint64_t first, std::uint64_t count,
                                                 ReadFigures& figures) const {
  auto block = std::make_shared<RowBlock>();
  try {
    if (!store_.read_block(first, count, *block, figures)) return nullptr;
  } catch (const std::exception&) {
    return nullptr;  // reading single rows will say which one and why
  }
  return block;
}

std::shared_ptr<const RowBlock> BlockCache::with(std::uint64_t row, ReadFigures& figures) {
  const std::uint64_t first = row / block_ * block_, count = std::min(block_, store_.size() - first);
  std::unique_lock lock(mutex_);
  ++clock_;
  std::shared_ptr<Entry> entry;
  if (const auto at = entries_.find(first); at != entries_.end()) {
    entry = at->second;
    loaded_.wait(lock, [&] { return !entry->loading; });
  } else {
    if (!make_room()) return nullptr;
    entry = std::make_shared<Entry>(Entry{.rows = count, .last_used = clock_, .bytes = block_bytes_});
    entries_.emplace(first, entry);
    held_bytes_ += entry->bytes;
    lock.unlock();
    auto block = read(first, count, figures);
    lock.lock();
    held_bytes_ -= entry->bytes;
    entry->bytes = block ? block->bytes.size() : 0;
    held_bytes_ += entry->bytes;
    block_bytes_ = std::max(block_bytes_, entry->bytes);
    entry->block = std::move(block);
    entry->loading = false;
    loaded_.notify_all();
  }
  entry->last_used = clock_;
  auto block = entry->block;
  if (++entry->served == entry->rows) {
    if (const auto at = entries_.find(first); at != entries_.end() && at->second == entry) {
      held_bytes_ -= entry->bytes;
      entries_.erase(at);
    }
  }
  return block;
}

std::size_t BlockCache::bytes() const {
  const std::scoped_lock lock(mutex_);
  return held_bytes_;
}

}  // namespace facemae
