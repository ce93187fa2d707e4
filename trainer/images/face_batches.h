#pragma once
// Faces decoded ahead of the network, on threads of their own.
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "trainer/images/image_set.h"

namespace facemae {

struct FaceBatch {
  std::size_t first = 0, count = 0;
  std::vector<std::uint8_t> pixels;  ///< [count, 112, 112, 3]
};

/// Images [first, last) of a set in batches of `batch`, in order. Each of `decoders` threads decodes a batch at a time, and
/// they are one batch ahead of next(), or `decoders` when these are more: so many batches are held, of 37 KB an image.
class FaceBatches {
 public:
  FaceBatches(const ImageSet& images, std::size_t first, std::size_t last, std::size_t batch, int decoders);
  ~FaceBatches();
  FaceBatches(const FaceBatches&) = delete;
  FaceBatches& operator=(const FaceBatches&) = delete;
  /// Nothing after the last. Throws what reading or decoding threw, after the batches before it; a DataError names the
  /// image.
  std::optional<FaceBatch> next();

 private:
  struct Decoded {
    FaceBatch batch;
    std::exception_ptr failure;
  };
  void decode_batches();
  FaceBatch decoded(std::size_t number, Decoder& decoder) const;

  const ImageSet& images_;
  const std::size_t first_, last_, batch_, batches_, ahead_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::size_t begun_ = 0, taken_ = 0;
  bool stopped_ = false;
  std::map<std::size_t, Decoded> ready_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace facemae
