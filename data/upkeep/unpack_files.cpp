#include "data/upkeep/unpack_files.h"

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

void BufferedFile::write(Bytes bytes) {
  constexpr std::size_t kBytes = 1 << 20;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  written_ += bytes.size();
  if (buffer_.size() >= kBytes) flush();
}
void BufferedFile::finish() {
  flush();
  file_->sync();
  file_->close();
}
void BufferedFile::flush() {
  if (!buffer_.empty()) file_->write(buffer_);
  buffer_.clear();
}

RemovedUnlessDone::~RemovedUnlessDone() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

void require_room_to_unpack(const Store& store, const Path& folder, std::uint64_t beside) {
  std::uint64_t bytes = 0, images = 0;  // of the shards, which a view shares with others
  for (const auto& shard : store.shards()) bytes += shard.bytes, images += shard.images;
  const std::uint64_t needed = store.size() * (images == 0 ? 0 : bytes / images + 1 + beside);
  const std::uint64_t available = std::filesystem::space(folder).available;
  if (needed > available)
    throw ConfigError(
        fmt::format("unpacking into {}: about {} are needed and {} are free; "
                    "choose another disk or free some space",
                    folder.string(), human_bytes(needed), human_bytes(available)));
}

}  // namespace facemae
