#pragma once
// How unpacked files come to be: in large writes, under a temporary name, on a disk with room for them.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "data/store/store.h"

namespace facemae {

/// Gathers small writes to one file into large ones.
class BufferedFile {
 public:
  BufferedFile(FileSystem& files, const Path& path) : file_(files.create(path)) {}
  void write(Bytes bytes);
  void write(const std::string& text) { write(bytes_of(text)); }
  std::uint64_t written() const { return written_; }
  void finish();  ///< makes it durable

 private:
  void flush();
  std::unique_ptr<OutputFile> file_;
  std::vector<std::byte> buffer_;
  std::uint64_t written_ = 0;
};

/// Removes what has this name at the end; after a rename nothing has it any more.
struct RemovedUnlessDone {
  explicit RemovedUnlessDone(Path made) : path(std::move(made)) {}
  ~RemovedUnlessDone();
  RemovedUnlessDone(const RemovedUnlessDone&) = delete;
  RemovedUnlessDone& operator=(const RemovedUnlessDone&) = delete;
  const Path path;
};

/// Throws ConfigError when the disk of `folder` has no room for the images with `beside` bytes for each.
void require_room_to_unpack(const Store& store, const Path& folder, std::uint64_t beside);
/// Of a tar or of files: two headers, and whole blocks of a disk.
inline constexpr std::uint64_t kBesideAFile = 2560;

}  // namespace facemae
