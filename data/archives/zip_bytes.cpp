#include "data/archives/zip_bytes.h"

#include <algorithm>
#include <cerrno>

namespace facemae {
namespace {

// libzip asks for a few bytes at a time. Images of a directory's order mostly follow one another.
constexpr std::uint64_t kInOrder = 1 << 20, kElsewhere = 64 << 10;

}  // namespace

ZipBytes::ZipBytes(ArchiveFile& file) : file_(file) { zip_error_init(&error_); }
ZipBytes::~ZipBytes() { zip_error_fini(&error_); }

zip_t* ZipBytes::open(std::uint64_t before, zip_error_t& error) {
  before_ = before;
  size_ = file_.size() - before;
  zip_source_t* source = zip_source_function_create(serve, this, &error);
  if (source == nullptr) return nullptr;
  zip_t* zip = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (zip == nullptr) zip_source_free(source);
  return zip;
}

zip_int64_t ZipBytes::serve(void* self, void* data, zip_uint64_t bytes, zip_source_cmd_t command) {
  auto& zip = *static_cast<ZipBytes*>(self);
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ,
                                            ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_STAT,
                                            ZIP_SOURCE_ERROR, ZIP_SOURCE_CLOSE, ZIP_SOURCE_FREE, -1);
    case ZIP_SOURCE_OPEN:
      zip.at_ = 0;
      return 0;
    case ZIP_SOURCE_READ:
      return zip.read({static_cast<std::byte*>(data), bytes});
    case ZIP_SOURCE_SEEK: {
      const zip_int64_t to = zip_source_seek_compute_offset(zip.at_, zip.size_, data, bytes, &zip.error_);
      if (to < 0) return -1;
      zip.at_ = static_cast<std::uint64_t>(to);
      return 0;
    }
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(zip.at_);
    case ZIP_SOURCE_STAT: {
      auto& stat = *static_cast<zip_stat_t*>(data);
      zip_stat_init(&stat);
      stat.valid = ZIP_STAT_SIZE;
      stat.size = zip.size_;
      return sizeof stat;
    }
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&zip.error_, data, bytes);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    default:
      zip_error_set(&zip.error_, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

zip_int64_t ZipBytes::read(std::span<std::byte> out) noexcept {
  out = out.first(std::min<std::uint64_t>(out.size(), size_ - at_));
  for (std::size_t done = 0; done < out.size();) {
    const std::uint64_t from = before_ + at_;
    if ((from < block_at_ || from >= block_at_ + block_.size()) && !fetch(from)) {
      zip_error_set(&error_, ZIP_ER_READ, EIO);
      return -1;
    }
    const auto held = std::span<const std::byte>(block_).subspan(from - block_at_);
    const std::size_t count = std::min(held.size(), out.size() - done);
    std::copy_n(held.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(done));
    done += count;
    at_ += count;
  }
  return static_cast<zip_int64_t>(out.size());
}

bool ZipBytes::fetch(std::uint64_t from) noexcept {
  const std::uint64_t end = block_at_ + block_.size();
  const bool in_order = from >= end && from - end < kInOrder;
  const std::uint64_t bytes = std::min(in_order ? kInOrder : kElsewhere, file_.size() - from);
  block_.clear();  // what a failed read leaves behind is not to be served
  std::vector<std::byte> fresh(bytes);
  if (!file_.try_read_at(from, fresh)) return false;
  block_ = std::move(fresh);
  block_at_ = from;
  return true;
}

}  // namespace facemae
