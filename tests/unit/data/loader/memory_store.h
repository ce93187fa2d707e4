#pragma once
// A store in memory, and the global batches that loaders of any number of ranks make of it.

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "data/image/image.h"
#include "data/loader/loader.h"

namespace facemae::test_loader {

inline constexpr int kSide = 16;

/// Encoded pictures in memory; each row is of one brightness, so that pixels tell the row.
class MemoryStore : public Store {
 public:
  explicit MemoryStore(std::uint64_t rows) {
    for (std::uint64_t row = 0; row < rows; ++row) {
      Image image{kSide, kSide, std::vector<std::uint8_t>(kSide * kSide * 3, level(row))};
      encoded_.push_back(row % 3 == 0 ? encode_png(image) : encode_jpeg(image));
    }
  }
  std::size_t shard_of(std::uint64_t row) const override { return row / 10; }
  std::atomic<bool>* gate = nullptr;  ///< reads wait until it opens
  static std::uint8_t level(std::uint64_t row) { return static_cast<std::uint8_t>(row * 37 % 251); }
  void truncate(std::uint64_t row) { encoded_[row].resize(encoded_[row].size() / 3); }
  void lose(std::uint64_t row) { encoded_[row].clear(); }

  const Path& folder() const noexcept override { return folder_; }
  std::uint64_t size() const noexcept override { return encoded_.size(); }
  std::int64_t identities() const noexcept override { return 7; }
  std::string identity_name(std::int64_t) const override { return ""; }
  std::int64_t label(std::uint64_t row) const override { return static_cast<std::int64_t>(row % 7); }
  int image_size() const noexcept override { return kSide; }
  void fetch(std::uint64_t row, std::vector<std::byte>& encoded, ReadFigures&) const override {
    while (gate != nullptr && !*gate) std::this_thread::yield();
    encoded = encoded_.at(row);
    if (encoded.empty()) throw DataError("row " + std::to_string(row) + " is lost");
  }
  const std::vector<ShardInfo>& shards() const noexcept override { return shards_; }
  Hash128 dataset_digest() const noexcept override { return {}; }
  std::string source_licence() const override { return ""; }
  bool released() const noexcept override { return false; }
  std::span<const std::uint64_t> rows_of(std::int64_t) const override { return {}; }

 private:
  Path folder_ = "memory";
  std::vector<std::vector<std::byte>> encoded_;
  std::vector<ShardInfo> shards_;
};

inline std::shared_ptr<MemoryStore> store_of(std::uint64_t rows) {
  return std::make_shared<MemoryStore>(rows);
}

/// Rows and pixels of `count` global micro-batches, the ranks' parts joined in rank order.
struct Global {
  std::vector<std::uint64_t> ordinals, rows;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> pixels;
  bool operator==(const Global&) const = default;
};
inline std::vector<Global> global_batches(const std::shared_ptr<const Store>& store, BatchPlan plan,
                                          std::uint64_t first_step, int count, const LoaderConfig& config) {
  std::vector<Global> all(static_cast<std::size_t>(count));
  for (int rank = 0; rank < plan.world; ++rank) {
    Loader loader(store, Order(store->size(), 5), plan, rank, first_step, config);
    std::unique_ptr<ByteBatch> batch;
    for (auto& global : all) {
      batch = loader.next(std::move(batch));
      global.ordinals.insert(global.ordinals.end(), batch->ordinals.begin(), batch->ordinals.end());
      global.rows.insert(global.rows.end(), batch->rows.begin(), batch->rows.end());
      global.labels.insert(global.labels.end(), batch->labels.begin(), batch->labels.end());
      global.pixels.insert(global.pixels.end(), batch->pixels.begin(), batch->pixels.end());
    }
  }
  return all;
}

}  // namespace facemae::test_loader
