#pragma once
// Reads, checks and decodes images ahead of the trainer, on worker threads. It does not use LibTorch, so that
// ThreadSanitizer can check it.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <span>
#include <vector>

#include "data/loader/loader_figures.h"
#include "data/loader/sample_reader.h"
#include "data/order/order.h"
#include "data/order/quarantine.h"
#include "data/store/store.h"

namespace facemae {

/// One rank's part of a micro-batch, as bytes.
struct ByteBatch {
  explicit ByteBatch(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : pixels(memory), noise(memory) {}
  std::uint64_t step = 0;
  int micro = 0;
  int image = 0;  ///< side in pixels
  PixelFormat format = PixelFormat::Rgb;
  std::vector<std::uint64_t> ordinals, rows;  ///< rows: of the images that are here
  std::vector<std::int64_t> labels;
  std::pmr::vector<std::uint8_t> pixels;  ///< B images of image_bytes(image, format) each
  std::pmr::vector<double> noise;         ///< B times NoiseConfig::values
  std::size_t size() const { return rows.size(); }
};

/// Numbers of each image that follow from its ordinal alone, drawn by the threads that decode.
struct NoiseConfig {
  std::size_t values = 0;                                                  ///< of an image
  std::function<void(std::uint64_t ordinal, std::span<double> out)> draw;  ///< from many threads
};

struct LoaderConfig {
  int threads = 1;  ///< decoding threads
  int ahead = 2;    ///< micro-batches decoded in advance: limits the memory
  SampleConfig sample;
  /// The run ends when more than this fraction of the images that this rank has read are different bad ones;
  /// BadImages tolerates a few in any case.
  double max_bad_fraction = 1e-5;
  std::vector<Quarantined> quarantined;  ///< known from the start
  /// Memory for blocks that an order of blocks reads in one piece each; 0 reads every image on its own.
  std::size_t block_bytes = std::size_t{256} << 20;
  std::chrono::duration<double> warn_after{10};  ///< of waiting for one batch; then after twice as long, ...
  std::chrono::duration<double> give_up_after{600};
  NoiseConfig noise;
  std::pmr::memory_resource* pixel_memory = nullptr;  ///< where pixels and noise live; must outlive them
};

/// Yields this rank's micro-batches in order, without end, from micro-batch 0 of `first_step` on. The result
/// is the same for any number of threads.
///
/// An image that is damaged, or whose shard cannot be read, is replaced by the next row that
/// Quarantine::row_for names and that can be used: the same one on every rank and at every later start. Each
/// replacement is logged and counted. When there are more than the policy allows, next() throws DataError.
class Loader {
 public:
  Loader(std::shared_ptr<const Store> store, Order order, BatchPlan plan, int rank, std::uint64_t first_step,
         LoaderConfig config);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  /// The next micro-batch. Hand the previous one back through `recycle` to reuse its memory. Waiting is
  /// logged; FileError (ETIMEDOUT) is thrown only after LoaderConfig::give_up_after.
  std::unique_ptr<ByteBatch> next(std::unique_ptr<ByteBatch> recycle = nullptr);
  bool ready() const;  ///< next() would return at once
  /// Takes back, unused, what next() returned last: next() returns it again, unless it is quarantined meanwhile.
  void unread(std::unique_ptr<ByteBatch> batch);
  LoaderFigures figures();  ///< since the last call
  /// Shards that have turned out to be unreadable since the last call. Other images already replace theirs;
  /// quarantining the shards makes the ranks that can still read them, and every later start, do the same.
  std::vector<ShardFailure> failed_shards();
  /// Uses no row of this shard from that ordinal on, which begins a step of which no batch has been handed
  /// out yet. Batches decoded ahead are made again. Call it from the thread that calls next().
  void quarantine(Quarantined entry);

 private:
  struct Pipeline;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace facemae
