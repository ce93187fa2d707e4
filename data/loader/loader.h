#pragma once
// Reads, checks and decodes ahead of the trainer, on worker threads. Torch-free, so that
// ThreadSanitizer sees it.
#include <chrono>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <vector>

#include "data/loader/loader_figures.h"
#include "data/loader/sample_reader.h"
#include "data/order/order.h"
#include "data/order/quarantine.h"
#include "data/store/store.h"

namespace facemae {

/// One rank's part of a micro-batch, as bytes.
struct ByteBatch {
  explicit ByteBatch(std::pmr::memory_resource* memory = std::pmr::get_default_resource()) : pixels(memory) {}
  std::uint64_t step = 0;
  int micro = 0;
  int image = 0;  ///< side in pixels
  PixelFormat format = PixelFormat::Rgb;
  std::vector<std::uint64_t> ordinals, rows;  ///< rows: of the images that are here
  std::vector<std::int64_t> labels;
  std::pmr::vector<std::uint8_t> pixels;  ///< B images of image_bytes(image, format) each
  std::size_t size() const { return rows.size(); }
};

struct LoaderConfig {
  int threads = 1;  ///< decoding threads
  int ahead = 2;    ///< micro-batches decoded in advance: bounds the memory
  SampleConfig sample;
  /// Different bad images, of the images that this rank has read, beyond which the run ends; BadImages
  /// bears a few in any case.
  double max_bad_fraction = 1e-5;
  std::vector<Quarantined> quarantined;  ///< known from the start
  /// Of blocks that an order of blocks reads in one piece each; 0 reads every image on its own.
  std::size_t block_bytes = std::size_t{256} << 20;
  std::chrono::duration<double> warn_after{10};  ///< of waiting for one batch; then after twice as long, ...
  std::chrono::duration<double> give_up_after{600};
  std::pmr::memory_resource* pixel_memory = nullptr;  ///< where batches of pixels live; must outlive them
};

/// Yields this rank's micro-batches in order, from micro-batch 0 of `first_step`, without end. Equal for any
/// number of threads.
///
/// An image that is damaged, or whose shard cannot be read, is replaced by the next row that
/// Quarantine::row_for names and that can be used: the same on every rank and at every later start. Each is
/// logged and counted. More than the policy bears ends the run: next() throws DataError.
class Loader {
 public:
  Loader(std::shared_ptr<const Store> store, Order order, BatchPlan plan, int rank, std::uint64_t first_step,
         LoaderConfig config);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  /// The next micro-batch. Hand the old one back through `recycle` to reuse its memory. Waiting is logged; it
  /// throws FileError (ETIMEDOUT) after LoaderConfig::give_up_after only.
  std::unique_ptr<ByteBatch> next(std::unique_ptr<ByteBatch> recycle = nullptr);
  LoaderFigures figures();  ///< since the last call
  /// Shards that turned out unreadable since the last call. Images of others stand in already; quarantining
  /// them tells the ranks that can still read them to do the same, and every later start.
  std::vector<ShardFailure> failed_shards();
  /// No row of this shard from that ordinal on: the beginning of a step of which no batch was handed out yet.
  /// Batches that were decoded ahead are made again. Call it from the thread of next().
  void quarantine(Quarantined entry);

 private:
  struct Pipeline;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace facemae
