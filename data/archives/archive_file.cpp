#include "data/archives/archive_file.h"

#include "core/error.h"

namespace facemae {

ArchiveFile::ArchiveFile(const Path& path, InputFiles& inputs, const ReadPolicy& patience)
    : path_(path), inputs_(inputs), patience_(patience), size_(InputFile(path).size()) {}

void ArchiveFile::read_at(std::uint64_t offset, std::span<std::byte> out) {
  patiently(patience_, "reading " + path_.string(), [&] {
    try {
      if (!file_) file_ = inputs_.open(path_);
      file_->read_at(offset, out);
    } catch (const FileError&) {
      file_ = nullptr;  // a file that was moved, replaced or unmounted needs a new descriptor
      throw;
    }
  });
}

bool ArchiveFile::try_read_at(std::uint64_t offset, std::span<std::byte> out) noexcept {
  try {
    read_at(offset, out);
    return true;
  } catch (...) {
    failure_ = std::current_exception();
    return false;
  }
}

}  // namespace facemae
