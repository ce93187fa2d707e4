#pragma once
// Writes a large file out of small pieces, in a little memory.
#include <memory>
#include <string_view>
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// Gathers what is added and writes it into a new file, 1 MiB at a time. Throws FileError.
class Pieces {
 public:
  Pieces(FileSystem& files, const Path& path) : out_(files.create(path)) {}
  std::uint64_t size() const { return size_; }  ///< of all that was added
  void add(Bytes bytes) {
    size_ += bytes.size();
    if (buffer_.size() + bytes.size() > kAtOnce) flush();
    if (bytes.size() > kAtOnce) return write(bytes);
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  template <class T>
  void add_value(const T& value) {
    add(std::as_bytes(std::span(&value, 1)));
  }
  /// From here on other readers of the file see all that was added.
  void flush() {
    write(buffer_);
    buffer_.clear();
  }
  /// Of all that was added since the last call.
  Hash128 take_digest() {
    flush();
    const Hash128 digest = hasher_.digest();
    hasher_ = Hasher();
    return digest;
  }
  void close() {  ///< synced
    flush();
    out_->sync();
    out_->close();
  }

 private:
  void write(Bytes bytes) {
    hasher_.add(bytes);
    out_->write(bytes);
  }
  static constexpr std::size_t kAtOnce = 1 << 20;
  std::unique_ptr<OutputFile> out_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_ = 0;
  Hasher hasher_;
};

}  // namespace facemae
