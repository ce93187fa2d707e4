#pragma once
// Reads, checks and decodes ahead of the trainer, on worker threads. Torch-free, so that ThreadSanitizer sees
// it.
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "data/order.h"
#include "data/store.h"

namespace facemae {

/// One rank's part of a micro-batch, as bytes.
struct ByteBatch {
  std::uint64_t step = 0;
  int micro = 0;
  int image = 0;  ///< side in pixels
  std::vector<std::uint64_t> ordinals, rows;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> pixels;  ///< [B, image, image, 3]
  std::size_t size() const { return rows.size(); }
};

struct LoaderConfig {
  int threads = 1;  ///< decoding threads
  int ahead = 2;    ///< micro-batches decoded in advance: bounds the memory
};

/// Yields this rank's micro-batches in order, from micro-batch 0 of `first_step`, without end. Equal for any
/// number of threads. A bad image (CRC, decode) ends the run with the DataError of the first such ordinal,
/// rethrown by next().
class Loader {
 public:
  Loader(std::shared_ptr<const Store> store, Order order, BatchPlan plan, int rank, std::uint64_t first_step,
         LoaderConfig config);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  /// The next micro-batch. Hand the old one back through `recycle` to reuse its memory.
  std::unique_ptr<ByteBatch> next(std::unique_ptr<ByteBatch> recycle = nullptr);
  double wait_seconds() const noexcept;  ///< spent waiting in next() since the last call of this

 private:
  struct Pipeline;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace facemae
