#include "trainer/images/face_batches.h"

#include <algorithm>

#include "core/error.h"

namespace facemae {

FaceBatches::FaceBatches(const ImageSet& images, std::size_t first, std::size_t last, std::size_t batch,
                         int decoders)
    : images_(images),
      first_(first),
      last_(last),
      batch_(batch),
      batches_((last - first + batch - 1) / batch),
      ahead_(static_cast<std::size_t>(std::max(1, decoders))) {
  for (std::size_t i = 0; i < std::min(ahead_, batches_); ++i)
    threads_.emplace_back([this] { decode_batches(); });
}

FaceBatches::~FaceBatches() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  moved_.notify_all();
}

std::optional<FaceBatch> FaceBatches::next() {
  std::unique_lock lock(mutex_);
  if (taken_ == batches_) return std::nullopt;
  moved_.wait(lock, [&] { return ready_.contains(taken_); });
  Decoded result = std::move(ready_.extract(taken_++).mapped());
  if (result.failure) {
    taken_ = batches_;
    stopped_ = true;
  }
  moved_.notify_all();
  if (result.failure) std::rethrow_exception(result.failure);
  return std::move(result.batch);
}

void FaceBatches::decode_batches() {
  Decoder decoder;
  std::unique_lock lock(mutex_);
  while (true) {
    // While the network has batch `taken_` - 1, `ahead_` others are decoded.
    moved_.wait(lock, [&] { return stopped_ || begun_ == batches_ || begun_ < taken_ + ahead_; });
    if (stopped_ || begun_ == batches_) return;
    const std::size_t number = begun_++;
    lock.unlock();
    Decoded result;
    try {
      result.batch = decoded(number, decoder);
    } catch (...) {
      result.failure = std::current_exception();
    }
    lock.lock();
    ready_.emplace(number, std::move(result));
    moved_.notify_all();
  }
}

FaceBatch FaceBatches::decoded(std::size_t number, Decoder& decoder) const {
  FaceBatch batch{.first = first_ + number * batch_, .count = 0, .pixels = {}};
  batch.count = std::min(batch_, last_ - batch.first);
  batch.pixels.reserve(batch.count * pixel_bytes(kAlignedSize, kAlignedSize));
  for (std::size_t i = batch.first; i < batch.first + batch.count; ++i) {
    const auto encoded = images_.read(i);
    try {
      const Image face = as_face(images_, i, encoded, decoder);
      batch.pixels.insert(batch.pixels.end(), face.pixels.begin(), face.pixels.end());
    } catch (const DataError& error) {
      throw DataError(images_.name(i) + ": " + error.what());
    }
  }
  return batch;
}

}  // namespace facemae
