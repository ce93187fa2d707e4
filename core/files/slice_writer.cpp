#include "core/files/slice_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace facemae {
namespace {

constexpr std::size_t kSlicePiece = 8 << 20;

[[noreturn]] void refuse_slice(const std::string& doing, const Path& path, int code = errno) {
  throw FileError(doing + " " + path.string() + ": " + std::strerror(code), code);
}

}  // namespace

// With O_DSYNC a client of a network file system writes just the bytes that it was given. Otherwise it may write
// whole pages, and with them what it believes of the neighbouring slice.
SliceWriter::SliceWriter(const Path& path, std::uint64_t offset)
    : path_(path),
      descriptor_(::open(path.c_str(), O_WRONLY | O_DSYNC | O_NOFOLLOW | O_CLOEXEC)),
      offset_(offset) {
  if (descriptor_ < 0) refuse_slice("opening", path_);
}

SliceWriter::~SliceWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void SliceWriter::write(Bytes bytes) {
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  if (waiting_.size() >= kSlicePiece) drain();
}

void SliceWriter::drain() {
  for (Bytes rest = waiting_; !rest.empty();) {
    const ssize_t n = ::pwrite(descriptor_, rest.data(), rest.size(), static_cast<off_t>(offset_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) refuse_slice("writing", path_, n < 0 ? errno : ENOSPC);
    offset_ += static_cast<std::uint64_t>(n);
    rest = rest.subspan(static_cast<std::size_t>(n));
  }
  waiting_.clear();
}

void SliceWriter::finish() {
  drain();
  if (::fsync(descriptor_) != 0) refuse_slice("syncing", path_);
  if (::close(std::exchange(descriptor_, -1)) != 0) refuse_slice("closing", path_);
}

}  // namespace facemae
