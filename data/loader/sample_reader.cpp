#include "data/loader/sample_reader.h"

#include <chrono>
#include <utility>

#include "core/log.h"

namespace facemae {
namespace {

/// This many rows are tried for one ordinal: if all of them fail, so would the rest of the store.
constexpr int kMostAttempts = 100;

/// Adds the time until it goes out of scope.
class Timer {
 public:
  explicit Timer(double& seconds) : seconds_(seconds) {}
  ~Timer() { seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

/// Reads from the row's block if there is one and the CRC is right; otherwise on its own, with all that
/// Store::fetch tries. Blocks consist of rows in their order: rows that replace others are read on their own.
void SampleReader::decode(std::uint64_t row, bool own, std::span<std::uint8_t> out) {
  std::shared_ptr<const RowBlock> block;
  Bytes encoded;
  if (own && blocks_ != nullptr) block = blocks_->with(row, figures_.reads);
  if (block) {
    const Timer timer(figures_.reads.crc_seconds);
    encoded = block->image(row);
    if (!store_.intact(row, encoded)) block = nullptr;
  }
  if (!block) {
    store_.fetch(row, encoded_, figures_.reads);
    encoded = encoded_;
  }
  const Timer timer(figures_.decode_seconds);
  try {
    decoder_.decode_into(encoded, store_.image_size(), config_.format, out);
  } catch (const DataError& error) {
    throw DataError(fmt::format("it does not decode although its CRC-32C is right: {}", error.what()));
  }
}

Sample SampleReader::read(std::uint64_t ordinal, const Quarantine& rows, std::span<std::uint8_t> out) {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const std::uint64_t row = rows.row_for(ordinal, attempt);
    try {
      const Sample sample{row, store_.label(row)};
      decode(row, attempt == 0, out);
      bad_.count_read();
      ++figures_.images;
      if (attempt > 0) ++figures_.substituted;
      if (config_.augment.any()) {
        const Timer timer(figures_.augment_seconds);
        augmenter_.apply(out, store_.image_size(), config_.augment, config_.seed, ordinal);
      }
      return sample;
    } catch (const ShardUnreadable& why) {
      bad_.note(row, ordinal, why);
    } catch (const DataError& why) {
      bad_.count_read();
      bad_.note(row, ordinal, why);
    }
  }
  throw DataError(fmt::format(
      "{} images tried one after another for ordinal {} of {} cannot be used: is the storage there? `facemae store verify` says what is wrong",
      kMostAttempts, ordinal, store_.folder().string()));
}

LoaderFigures SampleReader::take_figures() { return std::exchange(figures_, {}); }

}  // namespace facemae
