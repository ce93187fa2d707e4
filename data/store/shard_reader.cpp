#include "data/store/shard_reader.h"

#include <algorithm>
#include <thread>

#include "core/checksum.h"
#include "core/log.h"

namespace facemae {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

void ReadFigures::add(const ReadFigures& other) {
  read_seconds += other.read_seconds;
  crc_seconds += other.crc_seconds;
  rereads += other.rereads;
  retries += other.retries;
  slow += other.slow;
}

ShardReader::ShardReader(std::size_t shard, const Path& file, InputFiles& files, const ReadPolicy& policy)
    : shard_(shard),
      files_(files),
      policy_(policy),
      copies_(std::make_shared<const std::vector<Copy>>(1, Copy{file, files.open(file)})) {}

void ShardReader::add_replica(const Path& file) {
  Copy copy{file, files_.open(file)};
  const std::scoped_lock lock(mutex_);
  auto more = *copies_;
  more.insert(more.begin(), std::move(copy));
  copies_ = std::make_shared<const std::vector<Copy>>(std::move(more));
  failed_ = nullptr;
}

ShardReader::Copies ShardReader::copies() const {
  const std::scoped_lock lock(mutex_);
  if (failed_) throw ShardUnreadable(shard_, *failed_);
  return copies_;
}

/// A file that was moved, replaced or unmounted needs a new descriptor.
void ShardReader::open_again() const {
  const Copies known = copies();
  auto opened = *known;
  for (Copy& copy : opened) {
    try {
      copy.file = files_.open(copy.path);
    } catch (const FileError&) {
      copy.file = nullptr;  // the next attempt names the reason
    }
  }
  const std::scoped_lock lock(mutex_);
  if (copies_ == known) copies_ = std::make_shared<const std::vector<Copy>>(std::move(opened));
}

/// Reads from the first copy that can be read; throws the last one's FileError.
void ShardReader::read_any(std::uint64_t offset, std::span<std::byte> out) const {
  const Copies all = copies();
  for (std::size_t i = 0; i < all->size(); ++i) {
    const Copy& copy = (*all)[i];
    try {
      if (copy.file)
        copy.file->read_at(offset, out);
      else
        files_.open(copy.path)->read_at(offset, out);
      if (i > 0) prefer(all, i);
      return;
    } catch (const FileError&) {
      if (i + 1 == all->size()) throw;
    }
  }
}

/// The copies before it have failed: from now on they are tried last.
void ShardReader::prefer(const Copies& known, std::size_t copy) const {
  auto turned = *known;
  std::rotate(turned.begin(), turned.begin() + static_cast<std::ptrdiff_t>(copy), turned.end());
  const std::scoped_lock lock(mutex_);
  if (copies_ != known) return;
  spdlog::warn("shard {}: {} cannot be read; reading {} from now on", shard_, known->front().path.string(),
               turned.front().path.string());
  copies_ = std::make_shared<const std::vector<Copy>>(std::move(turned));
}

void ShardReader::read(std::uint64_t offset, std::span<std::byte> out, ReadFigures& figures) const {
  const auto start = Clock::now();
  const auto end = start + policy_.give_up_after;
  auto pause = policy_.first_pause;
  for (;;) {
    try {
      read_any(offset, out);
      break;
    } catch (const ShardUnreadable&) {
      throw;
    } catch (const FileError& error) {
      if (Clock::now() + pause > end) {
        spdlog::error("shard {}: gave up after {:.1f} s: {}", shard_, seconds_since(start), error.what());
        const std::scoped_lock lock(mutex_);
        failed_ = std::make_shared<const FileError>(error);
        throw ShardUnreadable(shard_, error);
      }
      ++figures.retries;
      spdlog::warn("shard {}: {}; retrying in {} ms", shard_, error.what(), pause.count());
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, policy_.longest_pause);
      open_again();
    }
  }
  const double seconds = seconds_since(start);
  figures.read_seconds += seconds;
  if (seconds > std::chrono::duration<double>(policy_.slow_after).count()) {
    ++figures.slow;
    spdlog::warn("shard {}: reading {} bytes at {} took {:.1f} s: the storage is slow", shard_, out.size(),
                 offset, seconds);
  }
}

bool ShardReader::recover(const StoredImage& image, std::span<std::byte> out, ReadFigures& figures) const {
  ++figures.rereads;
  const Copies all = copies();  // kept, because others may replace them meanwhile
  for (const Copy& copy : *all) {
    try {
      if (!copy.file) continue;
      copy.file->forget(image.offset, image.bytes);
      copy.file->read_at(image.offset, out);
    } catch (const FileError&) {
      continue;
    }
    if (crc32c(out) != image.crc32c) continue;
    spdlog::warn(
        "image {} of shard {} (row {}): its CRC-32C was wrong at first, but a second read from {} is right",
        image.index, shard_, image.row, copy.path.string());
    return true;
  }
  return false;
}

void ShardReader::read(const StoredImage& image, std::span<std::byte> out, ReadFigures& figures) const {
  read(image.offset, out, figures);
  const auto start = Clock::now();
  const std::uint32_t found = crc32c(out);
  figures.crc_seconds += seconds_since(start);
  if (found == image.crc32c || recover(image, out, figures)) return;
  throw DataError(fmt::format(
      "image {} of shard {} (row {}, {}): its CRC-32C is {:08x}, expected {:08x}, also when read again; "
      "the file is damaged: copy it from a replica or pack it again",
      image.index, shard_, image.row, copies()->front().path.string(), found, image.crc32c));
}

}  // namespace facemae
